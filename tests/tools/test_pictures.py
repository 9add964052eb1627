"""The tools that draw: the synthetic set, learning curves, and skeletons beside the truth."""

import json

import cv2
import numpy as np
import pytest
from matplotlib.text import Text

from dyrelu_pose.datasets.coco_keypoints import INDEX, KEYPOINTS
from dyrelu_pose.errors import UserError
from dyrelu_pose.visualization import learning_curve
from dyrelu_pose.visualization.learning_curve import draw_learning_curve
from dyrelu_pose.visualization.run_log import read_run
from dyrelu_pose.visualization.skeletons import SIDE_COLORS, draw_skeleton
from dyrelu_pose.visualization.style import new_figure
from tests.scripts import load


def size_of(png):
    picture = cv2.imread(str(png))
    assert picture is not None, f"{png} is not a picture"
    assert picture.std() > 1, f"{png} is blank"
    return picture.shape[1], picture.shape[0]


# make_synthetic_coco


def test_synthetic_set_is_made_once(tmp_path, capsys):
    main = load("tools/make_synthetic_coco.py").main
    command = [str(tmp_path / "set"), "--train", "2", "--val", "1", "--size", "96", "96"]
    main([*command, "--workers", "1"])
    assert "2 + 1 pictures" in capsys.readouterr().out
    main([*command, "--workers", "2"])
    assert "already there" in capsys.readouterr().out
    assert not list((tmp_path / "set").glob("*.npy"))
    main([*command, "--array"])
    (array,) = (tmp_path / "set").glob("train-*.npy")
    assert str(array) in capsys.readouterr().out
    assert np.load(array).shape == (2 * 96 * 96 * 3,)
    main(command)
    with pytest.raises(UserError, match="--force"):
        main([*command, "--seed", "1"])
    with pytest.raises(UserError, match="train=0"):
        main([str(tmp_path / "other"), "--train", "0"])
    assert not (tmp_path / "other").exists()


# plot_log


def write_log(work_dir, start, epochs, by_epoch=True, iterations=10, base=1.0):
    """Write what one start of an MMEngine run logs, validation after each epoch."""
    path = work_dir / start / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    lines = []
    for epoch in epochs:
        for inner in (5, 10):
            step = (epoch - 1) * iterations + inner
            record = {"lr": 1e-3, "loss": base / step, "iter": step, "step": step}
            lines.append(record | ({"epoch": epoch} if by_epoch else {}))
        unit = epoch if by_epoch else epoch * iterations
        lines.append({"coco/AP": 0.1 * epoch * base, "time": 0.1, "step": unit})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_log_is_read_in_epochs(tmp_path):
    write_log(tmp_path / "run", "20260101_000000", (1, 2))
    run = read_run(tmp_path / "run")
    assert (run.name, run.unit) == ("run", "epoch")
    assert run.loss == [(0.5, 1 / 5), (1.0, 1 / 10), (1.5, 1 / 15), (2.0, 1 / 20)]
    assert run.ap == [(1, 0.1), (2, 0.2)]


def test_a_log_is_read_in_iterations(tmp_path):
    write_log(tmp_path / "run", "20260101_000000", (1, 2), by_epoch=False)
    run = read_run(tmp_path / "run")
    assert run.unit == "iteration"
    assert [step for step, _ in run.loss] == [5, 10, 15, 20]
    assert [step for step, _ in run.ap] == [10, 20]


def test_restarts_replace_what_they_repeat(tmp_path):
    """A run to epoch 3, resumed after epoch 1, then tested: epochs 2 and 3 are the second's."""
    write_log(tmp_path, "20260101_000000", (1, 2, 3), base=1.0)
    write_log(tmp_path, "20260101_000100", (2, 3), base=2.0)
    tested = tmp_path / "20260101_000200" / "vis_data" / "scalars.json"
    tested.parent.mkdir(parents=True)
    tested.write_text('{"coco/AP": 0.9, "step": 0}\n')
    run = read_run(tmp_path)
    np.testing.assert_allclose(run.ap, [(1, 0.1), (2, 0.4), (3, 0.6)])
    assert [step for step, _ in run.loss] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert run.loss[1][1] == pytest.approx(1 / 10)
    assert run.loss[2][1] == pytest.approx(2 / 15)


def test_a_line_cut_off_by_a_kill_is_ignored_only_at_the_end(tmp_path):
    path = write_log(tmp_path, "20260101_000000", (1,))
    whole = path.read_text()
    path.write_text(whole + '{"lr": 0.0')
    assert len(read_run(tmp_path).loss) == 2
    path.write_bytes(whole.encode() + b'{"lr": "\xc3')
    assert len(read_run(tmp_path).loss) == 2
    path.write_text('{"lr": 0.0\n' + whole)
    with pytest.raises(UserError, match="scalars.json, line 1: not JSON"):
        read_run(tmp_path)
    path.write_text("[1]\n" + whole)
    with pytest.raises(UserError, match="scalars.json, line 1: no 'step'"):
        read_run(tmp_path)


def test_twin_runs_share_a_chart(tmp_path, capsys):
    for name, base in (("dyrelu", 1.0), ("relu", 0.8)):
        write_log(tmp_path / name, "20260101_000000", range(1, 31), base=base / 3)
    load("tools/plot_log.py").main([str(tmp_path / "dyrelu"), str(tmp_path / "relu")])
    out = tmp_path / "dyrelu" / "learning_curve.png"
    assert capsys.readouterr().out.strip() == str(out)
    width, height = size_of(out)
    assert width > 1000
    assert height > 400


def test_runs_can_be_renamed(tmp_path, monkeypatch):
    module, drawn = load("tools/plot_log.py"), []
    monkeypatch.setattr(module, "draw_learning_curve", lambda runs, *_: drawn.extend(runs))
    for name in ("a", "b"):
        write_log(tmp_path / name / "seed0", "20260101_000000", (1,))
    runs = [str(tmp_path / name / "seed0") for name in ("a", "b")]
    module.main([*runs, "--names", "DyReLU", "ReLU"])
    assert [run.name for run in drawn] == ["DyReLU", "ReLU"]
    with pytest.raises(UserError, match="2 work dirs need as many --names, not 1"):
        module.main([*runs, "--names", "DyReLU"])


def test_a_run_without_validation_is_drawn(tmp_path):
    path = write_log(tmp_path / "run", "20260101_000000", (1,))
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
    out = tmp_path / "new" / "curve.png"
    load("tools/plot_log.py").main([str(tmp_path / "run"), "--out", str(out)])
    size_of(out)


def test_a_single_loss_is_seen(tmp_path):
    path = write_log(tmp_path / "run", "20260101_000000", (1,))
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    axes = new_figure(4, 4).subplots()
    (line,) = learning_curve._draw_loss(axes, read_run(tmp_path / "run"), "red")
    assert line.get_marker() == "o"


def test_a_value_that_is_no_number_is_named(tmp_path):
    path = write_log(tmp_path, "20260101_000000", (1,))
    for name, value in (("step", None), ("loss", "0.1"), ("coco/AP", None), ("epoch", "1")):
        record = {"step": 12, "loss": 0.1, "epoch": 2} | {name: value}
        path.write_text(json.dumps({"step": 11, "loss": 1.0}) + "\n" + json.dumps(record) + "\n")
        with pytest.raises(UserError, match=f"scalars.json, line 2: {name} is {value!r}, not a nu"):
            read_run(tmp_path)


def texts_of(runs, out, monkeypatch):
    """Return what is written in the chart of runs."""
    figures = []
    monkeypatch.setattr(
        learning_curve, "new_figure", lambda *size: figures.append(new_figure(*size)) or figures[0]
    )
    draw_learning_curve(runs, out)
    return [text.get_text() for text in figures[0].findobj(Text)]


def test_other_metrics_of_a_validation_are_named(tmp_path, monkeypatch):
    path = write_log(tmp_path, "20260101_000000", (1, 2))
    path.write_text(path.read_text().replace("coco/AP", "PCK"))
    run = read_run(tmp_path)
    assert run.other == ("PCK",)
    assert "no coco/AP, but PCK" in texts_of([run], tmp_path / "a.png", monkeypatch)


@pytest.mark.parametrize("name", ["_baseline", "$a_{", "a$b$"])
def test_any_name_of_a_run_is_in_the_legend(tmp_path, monkeypatch, name):
    write_log(tmp_path / name, "20260101_000000", (1, 2))
    found = texts_of([read_run(tmp_path / name)], tmp_path / "a.png", monkeypatch)
    assert f"{name}: AP 0.200 at the end" in found


def test_a_log_without_a_line_is_not_called_a_test(tmp_path):
    write_log(tmp_path, "20260101_000000", (1,)).write_text("")
    with pytest.raises(UserError, match="only tested, or nothing is logged yet"):
        read_run(tmp_path)


def test_plot_log_says_where_it_looked(tmp_path):
    main = load("tools/plot_log.py").main
    with pytest.raises(UserError, match=r"absent/\*/vis_data/scalars.json"):
        main([str(tmp_path / "absent")])
    write_log(tmp_path / "epochs", "20260101_000000", (1,))
    write_log(tmp_path / "iterations", "20260101_000000", (1,), by_epoch=False)
    with pytest.raises(UserError, match="epochs counts epochs, iterations counts iterations"):
        main([str(tmp_path / "epochs"), str(tmp_path / "iterations")])


# draw_predictions


@pytest.fixture
def evaluated(tmp_path):
    """Annotations of 5 pictures, results of them and the folder of the pictures."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    images, annotations, results = [], [], []
    for i in range(1, 6):
        cv2.imwrite(str(tmp_path / "images" / f"{i}.png"), np.full((80, 100, 3), 90, np.uint8))
        images.append({"id": i, "file_name": f"{i}.png", "width": 100, "height": 80})
        places = rng.uniform(5, 75, (17, 2))
        truth = np.column_stack((places, np.full(17, 2))).ravel().tolist()
        annotations.append({"id": i, "image_id": i, "category_id": 1, "keypoints": truth})
        found = np.column_stack((places + 3, rng.uniform(0, 1, 17))).ravel().tolist()
        results.append({"image_id": i, "category_id": 1, "score": 0.9, "keypoints": found})
    truth_file, results_file = tmp_path / "truth.json", tmp_path / "results.keypoints.json"
    truth_file.write_text(json.dumps({"images": images, "annotations": annotations}))
    results_file.write_text(json.dumps(results))
    return truth_file, results_file, tmp_path / "images"


def run_draw(evaluated, *options):
    truth, results, images = map(str, evaluated)
    load("tools/draw_predictions.py").main([truth, results, "--images", images, *options])


def test_predictions_are_drawn_beside_the_truth(evaluated, tmp_path, capsys):
    run_draw(evaluated, "--num", "3", "--out", str(tmp_path / "out"))
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["1.png", "3.png", "5.png", "sheet.png"]
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "sheet.png")
    width, height = size_of(tmp_path / "out" / "1.png")
    assert width > 2 * height  # two enlarged pictures side by side
    size_of(tmp_path / "out" / "sheet.png")


def test_no_picture_is_replaced_by_its_drawing(evaluated):
    *_, images = evaluated
    before = {path: path.read_bytes() for path in images.iterdir()}
    with pytest.raises(UserError, match=r"images/\d.png is a picture that would be replaced"):
        run_draw(evaluated, "--out", str(images))
    assert {path: path.read_bytes() for path in images.iterdir()} == before


@pytest.mark.parametrize("width", [None, "100", -100, 0])
def test_paper_needs_a_size(evaluated, width):
    truth, results, _ = evaluated
    change(truth, "images", 0, width=width)
    with pytest.raises(UserError, match="image 1 has no width and height for paper: name --images"):
        load("tools/draw_predictions.py").main([str(truth), str(results)])


def test_several_predictions_share_blank_paper(evaluated, tmp_path):
    truth, results, _ = map(str, evaluated)
    main = load("tools/draw_predictions.py").main
    main([truth, results, results, "--names", "ReLU", "DyReLU", "--out", str(tmp_path / "out")])
    picture = cv2.imread(str(tmp_path / "out" / "1.png"))
    assert picture.shape[1] == 3 * 480 + 2 * 6  # 100 x 80 pixels, enlarged to 480 x 384
    middle, right = picture[40:, 486:966], picture[40:, 972:]
    np.testing.assert_array_equal(middle, right)
    assert middle.std() > 5
    with pytest.raises(UserError, match="2 results need as many different --names"):
        main([truth, results, results])


def test_the_default_folder_is_beside_the_results(evaluated):
    run_draw(evaluated, "--num", "99")
    assert len(list((evaluated[1].parent / "pictures").iterdir())) == 5 + 1


def test_the_threshold_hides_unsure_keypoints(evaluated, tmp_path):
    pictures = []
    for threshold in ("0", "2"):
        run_draw(evaluated, "--num", "1", "--threshold", threshold, "--out", str(tmp_path / "out"))
        pictures.append(cv2.imread(str(tmp_path / "out" / "1.png")))
    left, right = (np.s_[:, : pictures[0].shape[1] // 2], np.s_[40:, -400:])
    np.testing.assert_array_equal(pictures[0][left], pictures[1][left])
    assert pictures[0][right].std() > 5
    assert pictures[1][right].std() == 0


@pytest.fixture
def corners(tmp_path):
    """Annotations and results of 4 corners in 3 pictures, of which two are called alike."""
    names = ["a/1.png", "b/1.png", "sheet.jpg"]
    points = [[20, 10, 2], [80, 10, 2], [80, 60, 2], [20, 60, 2]]
    kind = dict(id=2, keypoints=["top_left", "top_right", "bottom_right", "bottom_left"],
                skeleton=[[1, 2], [2, 3]])  # fmt: skip
    content = dict(
        images=[dict(id=i, file_name=n, width=100, height=80) for i, n in enumerate(names)],
        annotations=[
            dict(id=i, image_id=i, category_id=2, keypoints=sum(points, [])) for i in range(3)
        ],
        categories=[dict(id=1, name="person"), kind],
    )
    content["annotations"].append(dict(id=9, image_id=0, category_id=1, bbox=[0, 0, 9, 9]))
    truth, results = tmp_path / "truth.json", tmp_path / "res.keypoints.json"
    truth.write_text(json.dumps(content))
    results.write_text(json.dumps(content["annotations"][:3]))
    return truth, results


def test_any_keypoints_are_drawn_and_joined_as_their_category_says(corners, tmp_path):
    load("tools/draw_predictions.py").main([*map(str, corners), "--out", str(tmp_path / "out")])
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["1_0.png", "1_1.png", "sheet.png", "sheet_2.png"]
    drawn = cv2.imread(str(tmp_path / "out" / "1_0.png"))[-384:, :480]  # 4.8 times as large
    paper = drawn[2, 2]
    assert (drawn[48, 240] != paper).any()  # between the first two
    assert (drawn[168, 384] != paper).any()
    assert (drawn[288, 240] == paper).all()  # between the last two


@pytest.mark.parametrize(
    ("keypoints", "skeleton", "message"),
    [
        (51, [[1, 2]], r"res.keypoints.json: .*image 0 has 17 keypoints, not 4"),
        (11, [[1, 2]], r"res.keypoints.json: .*image 0 has 3.66667 keypoints, not 4"),
        (12, [[0, 1]], r"truth.json: .*skeleton of category 2 has to count from 1 to 4"),
        (12, [["top_left", "top_right"]], r"truth.json: .*skeleton of category 2 has to count"),
    ],
)
def test_other_keypoints_are_named(corners, keypoints, skeleton, message):
    truth, results = corners
    content = json.loads(truth.read_text())
    content["categories"][1]["skeleton"] = skeleton
    truth.write_text(json.dumps(content))
    results.write_text(json.dumps([dict(image_id=0, keypoints=[1] * keypoints)]))
    with pytest.raises(UserError, match=message):
        load("tools/draw_predictions.py").main([str(truth), str(results)])


def test_left_and_right_have_their_own_colours():
    assert len(set(SIDE_COLORS.values())) == 3
    for name in ("left_wrist", "right_wrist"):
        picture = np.zeros((60, 60, 3), np.uint8)
        keypoints = np.full((17, 2), np.nan)
        keypoints[INDEX[name]] = 30, 30
        draw_skeleton(picture, keypoints, np.ones(len(KEYPOINTS), bool))
        np.testing.assert_array_equal(picture[30, 30], SIDE_COLORS[name.split("_")[0]])


def damage_results(truth, results, images):
    results.write_text('{"not": "results"}')
    return results


def damage_truth(truth, results, images):
    truth.write_text(json.dumps({"images": []}))
    return truth


def remove_results(truth, results, images):
    results.unlink()
    return results


def remove_image(truth, results, images):
    (images / "1.png").unlink()
    return images / "1.png"


def mix_up(truth, results, images):
    entry = {"image_id": 77, "score": 1, "keypoints": [0] * 51}
    results.write_text(json.dumps([entry]))
    return "image 77"


def mistype(truth, results, images):
    results.write_text(json.dumps([{"image_id": "1", "score": 1, "keypoints": [0] * 51}]))
    return "entry 0 has the image_id '1': ids are whole numbers"


def diverge(truth, results, images):
    entries = json.loads(results.read_text())
    entries[3]["keypoints"][5] = float("nan")
    results.write_text(json.dumps(entries))
    return "entry 3 of image 4 has the keypoints ["


def shrink(truth, results, images):
    cv2.imwrite(str(images / "1.png"), np.full((40, 50, 3), 90, np.uint8))
    return "images/1.png has 50x40 pixels and the annotation file says 100x80"


def change(truth, kind, index, **entries):
    content = json.loads(truth.read_text())
    content[kind][index].update(entries)
    truth.write_text(json.dumps(content))


def forget_the_name(truth, results, images):
    change(truth, "images", 2, file_name=None)
    return "truth.json: image 3 has no file_name"


def repeat_an_id(truth, results, images):
    change(truth, "images", 2, id=2)
    return "truth.json: image 2 has the id of another image"


def point_elsewhere(truth, results, images):
    change(truth, "annotations", 2, image_id=9)
    return "truth.json: annotation 3 is of image 9, which is not listed"


def lose_a_keypoint(truth, results, images):
    change(truth, "annotations", 2, keypoints=[1, 1, 2] * 16)
    return "truth.json: annotation 3 has 16 keypoints, not 17"


def write_words(truth, results, images):
    change(truth, "annotations", 2, keypoints=["1"] * 51)
    return "truth.json: annotation 3 has keypoints that are not all numbers"


def unlabel(truth, results, images):
    content = json.loads(truth.read_text())
    truth.write_text(json.dumps({**content, "annotations": []}))
    return "nobody has a labelled keypoint"


@pytest.mark.parametrize(
    "damage",
    [
        damage_results,
        damage_truth,
        remove_results,
        remove_image,
        mix_up,
        mistype,
        diverge,
        shrink,
        forget_the_name,
        repeat_an_id,
        point_elsewhere,
        lose_a_keypoint,
        write_words,
        unlabel,
    ],
)
def test_what_is_wrong_with_the_files_is_named(evaluated, damage):
    named = str(damage(*evaluated))
    with pytest.raises(UserError) as error:
        run_draw(evaluated)
    assert named in str(error.value)
