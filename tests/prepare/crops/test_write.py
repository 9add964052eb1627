"""The set of crops: the same bytes always, the same samples, the same similarities."""

import json
import shutil

import cv2
import numpy as np
import pytest

from dyrelu_pose.compat.xtcocotools import COCO, COCOeval
from dyrelu_pose.datasets.picture_array import write_array
from dyrelu_pose.errors import UserError
from dyrelu_pose.prepare.crops import (
    SPLITS,
    Settings,
    annotation_file,
    read_source,
    to_original,
    write_crops,
)
from dyrelu_pose.prepare.crops.agreement import build_set, compare
from dyrelu_pose.prepare.folder import META

from .conftest import config

SETTINGS = Settings(quality=95)


def crop(drawn, out, settings=SETTINGS, workers=1, force=False, **changes):
    """Crop both splits of a drawn set."""
    cfg = config(drawn, **changes)
    return write_crops(out, [read_source(cfg, split) for split in SPLITS], settings, workers, force)


def content(folder):
    """All files below a folder with their bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def read(root, split="train"):
    return json.loads(annotation_file(root, split).read_text())


@pytest.fixture(scope="module")
def crops(drawn, tmp_path_factory):
    out = tmp_path_factory.mktemp("crops") / "set"
    assert not crop(drawn, out)  # nobody is left out
    return out


@pytest.fixture
def small(tmp_path, drawn):
    """Crops that a test may damage."""
    crop(drawn, tmp_path / "set", Settings(oversample=1.0))
    return tmp_path / "set"


def test_same_bytes_for_any_number_of_workers(drawn, crops, tmp_path):
    crop(drawn, tmp_path / "again", workers=3)
    assert content(tmp_path / "again") == content(crops)


def test_one_person_per_image_of_the_size_it_says(drawn, crops):
    for split in SPLITS:
        cropped, original = read(crops, split), read(drawn, split)
        assert cropped["categories"] == original["categories"]
        ids = [image["id"] for image in cropped["images"]]
        assert ids == [a["image_id"] for a in cropped["annotations"]]
        assert len(set(ids)) == len(ids)
        assert len(ids) == len(original["annotations"]) == len(list((crops / split).iterdir()))
        for image in cropped["images"]:
            picture = cv2.imread(str(crops / split / image["file_name"]))
            assert picture.shape[:2] == (image["height"], image["width"])


def test_visibilities_stay_and_what_is_not_labelled_is_zero(drawn, crops):
    cropped, original = (keypoints(read(root)) for root in (crops, drawn))
    assert (cropped[..., 2] == original[..., 2]).all()
    unlabelled = cropped[cropped[..., 2] == 0]
    assert len(unlabelled) > 5
    assert (unlabelled == 0).all()


def keypoints(dataset):
    """All keypoints of a set, (N, 17, 3)."""
    return np.reshape([person["keypoints"] for person in dataset["annotations"]], (-1, 17, 3))


@pytest.mark.parametrize("use_udp", [False, True])
@pytest.mark.parametrize("split", SPLITS)
def test_the_network_sees_the_same(drawn, crops, split, use_udp):
    """Every sample, in the same order; the first one's box is cut off by the image's border."""
    ours, theirs = (
        build_set(config(root, use_udp)[f"{split}_dataloader"].dataset) for root in (crops, drawn)
    )
    assert len(ours) == len(theirs) > 3
    for seed in range(4):
        agreement = compare(ours, theirs, range(len(theirs)), 100 * seed)
        # three decimals, magnified up to tenfold by a small half of a body zoomed in on
        assert agreement.keypoints_max < 0.02
        assert agreement.image_mean < 6


def test_targets_are_the_same(drawn, crops):
    ours, theirs = (build_set(config(root).train_dataloader.dataset) for root in (crops, drawn))
    for index in range(len(ours)):
        samples = []
        for dataset in (ours, theirs):
            np.random.seed(index)
            samples.append(dataset[index]["data_samples"])
        a, b = (sample.gt_fields.heatmaps for sample in samples)
        # 0.02 pixels are 0.01 cells; the steepest slope of the target is 0.4 per cell
        assert abs(a - b).max() < 0.005
        assert a.max() > 0.5
        a, b = (sample.gt_instance_labels.keypoint_weights for sample in samples)
        assert (a == b).all()


def test_stored_as_large_as_asked_and_never_enlarged(drawn, tmp_path):
    """Padded by 1.25 to the aspect ratio 3:4 of a 48 x 64 input, at most 2 x 48 pixels wide."""
    crop(drawn, tmp_path / "set", Settings(oversample=2.0))
    boxes = {a["id"]: a["bbox"] for a in read(tmp_path / "set")["annotations"]}
    scales = {i["id"]: i["origin"]["scale"] for i in read(tmp_path / "set")["images"]}
    for id, (_, _, width, height) in boxes.items():
        padded = max(1.25 * width, 1.25 * height * 3 / 4)
        assert padded == pytest.approx(96, abs=0.01) or (padded < 96 and scales[id] == 1)
    assert min(scales.values()) < 0.5


def test_quality_decides_the_size_on_disk(drawn, tmp_path):
    low, high = tmp_path / "low", tmp_path / "high"
    for out, quality in ((low, 50), (high, 95)):
        crop(drawn, out, Settings(quality=quality))
    sizes = [sum(map(len, content(out / "train").values())) for out in (low, high)]
    assert sizes[0] < 0.6 * sizes[1]


def alone(dataset):
    """The first person of each image, so that a match of one person does not touch another's."""
    first = {annotation["image_id"]: annotation for annotation in reversed(dataset["annotations"])}
    return {**dataset, "annotations": sorted(first.values(), key=lambda a: a["id"])}


def guesses(dataset, seed=1):
    """Keypoint results off by a few hundredths of the person's size."""
    rng = np.random.default_rng(seed)
    results = []
    for person in dataset["annotations"]:
        points = np.reshape(person["keypoints"], (17, 3)).astype(float)
        points[:, :2] += rng.normal(0, 0.04 * person["area"] ** 0.5, (17, 2))
        points[:, 2] = 1
        results.append(
            dict(image_id=person["image_id"], category_id=1, score=float(rng.random()),
                 keypoints=points.ravel().tolist())
        )  # fmt: skip
    return results


def evaluate(dataset, results):
    """Return the AP and the similarities in the order of the results."""
    truths = COCO()
    truths.dataset = dataset
    truths.createIndex()
    evaluation = COCOeval(truths, truths.loadRes(results))
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[0], [evaluation.ious[r["image_id"], 1].max() for r in results]


def test_similarities_and_ap_are_those_of_the_original_set(drawn, crops):
    """The same guesses, mapped as the persons were, and mapped back."""
    original, cropped = alone(read(drawn)), read(crops)
    results = guesses(original)
    by_id = {image["id"]: image for image in cropped["images"]}
    on_crops = []
    for person, result in zip(original["annotations"], results, strict=True):
        origin = by_id[person["id"]]["origin"]
        points = np.reshape(result["keypoints"], (17, 3)).copy()
        points[:, :2] = (points[:, :2] - origin["offset"]) * origin["scale"]
        mapped = dict(image_id=person["id"], keypoints=points.ravel().tolist())
        on_crops.append(result | mapped)
    kept = {person["id"] for person in original["annotations"]}
    cropped["annotations"] = [a for a in cropped["annotations"] if a["id"] in kept]
    cropped["images"] = [image for image in cropped["images"] if image["id"] in kept]

    ap, similarities = evaluate(original, results)
    ap_on_crops, similarities_on_crops = evaluate(cropped, on_crops)
    assert 0.1 < ap < 0.9
    assert ap_on_crops == pytest.approx(ap, abs=1e-9)
    np.testing.assert_allclose(similarities_on_crops, similarities, rtol=1e-4)

    back = to_original(on_crops, cropped["images"])
    for ours, theirs in zip(back, results, strict=True):
        assert ours["image_id"] == theirs["image_id"]
        np.testing.assert_allclose(ours["keypoints"], theirs["keypoints"])


def test_a_second_run_writes_nothing(drawn, small):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert crop(drawn, small, Settings(oversample=1.0)) is None
    assert before == {path: path.stat().st_mtime_ns for path in small.rglob("*")}


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        (Settings(quality=80, oversample=1.0), {}, r"quality=90 \(wanted 80\)"),
        (Settings(oversample=1.0), dict(rotate_factor=9), r"rotation=80.0 \(wanted 9\)"),
    ],
)
def test_other_parameters_need_force(drawn, small, settings, changes, message):
    with pytest.raises(UserError, match=f"{message}.*--force"):
        crop(drawn, small, settings, **changes)
    assert crop(drawn, small, settings, force=True, **changes) is not None
    assert crop(drawn, small, settings, **changes) is None


def test_other_annotations_need_force(drawn, small, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "drawn")
    path = annotation_file(root, "val")
    changed = json.loads(path.read_text())
    changed["annotations"].pop()
    path.write_text(json.dumps(changed))
    with pytest.raises(UserError, match="val.annotations=.*--force"):
        crop(root, small, Settings(oversample=1.0))


def test_other_pictures_need_force(drawn, small, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "drawn")
    for path in (root / "train").iterdir():
        cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    with pytest.raises(UserError, match="train.pictures=.*--force"):
        crop(root, small, Settings(oversample=1.0))


def test_what_cannot_be_replaced_is_kept(drawn, small, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "drawn")
    next((root / "val").iterdir()).unlink()
    before = content(small)
    with pytest.raises(UserError, match="are not in"):
        crop(root, small, Settings(quality=80, oversample=1.0), force=True)
    assert content(small) == before


def test_no_array_of_the_crops_before_is_left(drawn, small):
    array = write_array(annotation_file(small, "train"), small / "train")
    before = annotation_file(small, "train").read_bytes()
    crop(drawn, small, Settings(quality=80, oversample=1.0), force=True)
    assert annotation_file(small, "train").read_bytes() == before  # by which arrays are named
    assert not array.exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_drawn_set_is_left_alone(drawn, tmp_path, force):
    root = shutil.copytree(drawn, tmp_path / "drawn")
    before = content(root)
    with pytest.raises(UserError, match="name another folder"):
        crop(drawn, root, force=force)
    assert content(root) == before


def test_a_folder_of_another_tool_is_left_alone(drawn, small):
    meta = json.loads((small / META).read_text())
    (small / META).write_text(json.dumps({**meta, "kind": "something else"}))
    before = content(small)
    with pytest.raises(UserError, match="name another folder"):
        crop(drawn, small, force=True)
    assert content(small) == before


def test_a_file_in_place_of_the_folder_is_named(drawn, tmp_path):
    (tmp_path / "set").write_text("")
    with pytest.raises(UserError, match="set is a file"):
        crop(drawn, tmp_path / "set")


def test_incomplete_crops_are_made_again(drawn, small):
    whole = content(small)
    next((small / "train").iterdir()).unlink()
    assert crop(drawn, small, Settings(oversample=1.0)) is not None
    assert content(small) == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_damaged_images_are_all_named_and_nothing_counts_as_done(drawn, tmp_path, workers):
    root = shutil.copytree(drawn, tmp_path / "drawn")
    first, second, *_ = sorted((root / "train").iterdir())
    first.write_bytes(first.read_bytes()[:-3000])
    second.write_text("not an image")
    message = f"image {first} (is truncated|cannot be decoded).*\nimage {second} cannot be decoded"
    with pytest.raises(UserError, match=message):
        crop(root, tmp_path / "set", workers=workers)
    for path in (first, second):
        shutil.copy(drawn / "train" / path.name, path)
    assert crop(root, tmp_path / "set", workers=workers) is not None


def test_missing_images_are_named_before_anything_is_written(drawn, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "drawn")
    for path in sorted((root / "val").iterdir())[1:]:
        path.unlink()
    with pytest.raises(UserError, match="2 of the 3 images .* 900002.jpg, 900003.jpg; copy them"):
        crop(root, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_another_size_is_named_before_anything_is_written(drawn, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "drawn")
    path = max((root / "val").iterdir())
    cv2.imwrite(str(path), np.zeros((36, 48, 3), np.uint8))
    message = (
        rf"image {path} has 48x36 pixels and the .* says 480x360: .* \(1 of 3 images like this"
    )
    with pytest.raises(UserError, match=message):
        crop(root, tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [(dict(quality=0), "quality 0"), (dict(quality=101), "101"), (dict(oversample=0.5), "0.5")],
)
def test_impossible_settings_are_named(wrong, message):
    with pytest.raises(UserError, match=message):
        Settings(**wrong)
