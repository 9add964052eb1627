"""Data sets that do not agree with themselves or their pictures are refused before a training."""

import copy
import json
import re

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets import CocoDataset as MMPoseCocoDataset
from mmpose.registry import DATASETS

from dyrelu_pose.config import contents
from dyrelu_pose.config.contents import check_contents
from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.config.files import MissingFilesError
from dyrelu_pose.errors import AnnotationError, UserError
from tests.scripts import DEMO, run

WIDTH, HEIGHT = 120, 160
METAINFO = dict(
    dataset_name="documents",
    paper_info={},
    keypoint_info={
        i: dict(name=f"corner{i}", id=i, color=[0, 0, 0], type="", swap="") for i in range(4)
    },
    skeleton_info={},
    joint_weights=[1.0] * 4,
    sigmas=[0.025] * 4,
)


def document(number, image):
    """An annotation with 4 corners."""
    left, top = 20 + number % 3, 30 + number % 5
    corners = [(left, top), (left + 60, top), (left + 60, top + 80), (left, top + 80)]
    return dict(
        id=number, image_id=image, category_id=2, bbox=[left, top, 60, 80], area=4800, iscrowd=0,
        keypoints=[value for corner in corners for value in (*corner, 2)],
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for split, number in (("train", 6), ("val", 3)):
        (tmp_path / split).mkdir()
        images = [
            dict(id=i, file_name=f"{split}_{i}.jpg", width=WIDTH, height=HEIGHT)
            for i in range(number)
        ]
        for image in images:
            picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
            cv2.imwrite(str(tmp_path / split / image["file_name"]), picture)
        images.append(dict(id=99, file_name="of nobody.jpg", width=1, height=1))
        annotations = [document(100 + i, i) for i in range(number)]
        categories = [dict(id=2, name="document")]
        content = dict(images=images, annotations=annotations, categories=categories)
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
    return tmp_path


def dataset(folder, split, **options):
    return dict(
        type="CocoDataset", data_root=f"{folder}/", ann_file=f"{split}.json", metainfo=METAINFO,
        data_prefix=dict(img=f"{split}/"), test_mode=split == "val",
        pipeline=[dict(type="LoadImage")], **options,
    )  # fmt: skip


def config(folder, **options):
    return Config(
        {f"{s}_dataloader": dict(dataset=dataset(folder, s, **options)) for s in ("train", "val")}
    )


def check(folder, **options):
    check_contents(config(folder, **options), ["train", "val"])


def change(folder, split, edit):
    path = folder / f"{split}.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_what_agrees_passes_without_a_word(folder, capfd):
    check(folder)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda c: c["annotations"][1].update(id="101"),
            "annotation 101 has the id '101', a string",
        ),
        (
            lambda c: c["annotations"][2].update(keypoints=[1, 2, 2] * 3),
            "102 has 3 keypoints, not 4",
        ),
        (lambda c: [a.update(bbox=[0.1, 0.2, 0.5, 0.5]) for a in c["annotations"]], "from 0 to 1"),
        (lambda c: c.update(annotations=3), "not in the COCO format: it has no lists"),
        (lambda c: [a.pop("keypoints") for a in c["annotations"]], "persons without keypoints; is"),
        (
            lambda c: [a.update(keypoints="9 9 2 9 9 2") for a in c["annotations"]],
            "annotation 100 has keypoints that are not all numbers: '9 9 2 9 9 2'",
        ),
        (lambda c: c.update(annotations=[]), "has no persons"),
        (lambda c: c["images"][0].update(id=-(2**63)), "image -9223372036854775808 has the id"),
        (
            lambda c: [a.update(num_keypoints=0) for a in c["annotations"]],
            "annotation 100 has 4 labelled keypoints, but num_keypoints 0",
        ),
    ],
)
def test_annotations_are_checked_in_every_split(folder, split, edit, message):
    change(folder, split, edit)
    with pytest.raises(AnnotationError, match=f"annotation file {folder}/{split}.json.*{message}"):
        check(folder)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_missing_picture_is_named(folder, split):
    (folder / split / f"{split}_2.jpg").unlink()
    with pytest.raises(MissingFilesError, match=rf"1 of the \d images of .*{split}_2.jpg"):
        check(folder)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_picture_of_another_size_is_named(folder, split):
    cv2.imwrite(str(folder / split / f"{split}_2.jpg"), np.zeros((80, 60, 3), np.uint8))
    with pytest.raises(UserError, match=rf"{split}_2.jpg has 60x80 pixels and the .* says 120x160"):
        check(folder)


@pytest.fixture
def said(monkeypatch):
    """The lines that are logged."""
    lines = []
    monkeypatch.setattr(contents, "print_log", lambda line, *_: lines.append(line))
    return lines


def test_two_images_of_one_file_are_warned_of(folder, said):
    change(folder, "val", lambda c: c["images"][2].update(file_name="val_0.jpg"))
    check(folder)
    (line,) = said
    assert "val.json: image 2 has the file_name of another, val_0.jpg (1 of 3 images" in line


def test_pictures_that_are_trained_on_and_evaluated_are_warned_of(folder, said):
    cfg = config(folder)
    cfg.val_dataloader.dataset.update(ann_file="train.json", data_prefix=dict(img="val/../train"))
    check_contents(cfg, ["train", "val"])
    (line,) = said
    assert "6 of the 6 pictures of val_dataloader are in train_dataloader as well" in line
    assert "train/train_0.jpg" in line


def test_one_file_may_be_parted_by_indices(folder, said):
    cfg = config(folder)
    cfg.val_dataloader.dataset = dict(cfg.train_dataloader.dataset, indices=[4, 5], test_mode=True)
    cfg.train_dataloader.dataset.indices = 4
    check_contents(cfg, ["train", "val"])
    assert not said


def test_with_indices_not_all_pictures_have_to_be_there(folder):
    cfg = config(folder, indices=[5])
    for i in range(5):
        (folder / f"train/train_{i}.jpg").unlink()
    check_contents(cfg, ["train"])
    (folder / "train/train_5.jpg").unlink()
    with pytest.raises(MissingFilesError, match="6 of the 6 images of"):
        check_contents(cfg, ["train"])


def test_skip_bad_samples_leaves_a_few_to_the_training(folder):
    change(folder, "train", lambda c: c["annotations"][0].update(id=None))
    change(folder, "train", lambda c: c["annotations"][1].update(bbox=[0, 0, 1, 1]))
    (folder / "train/train_2.jpg").unlink()
    cv2.imwrite(str(folder / "train/train_3.jpg"), np.zeros((80, 60, 3), np.uint8))
    check(folder, skip_bad_samples=True)
    (folder / "val/val_2.jpg").unlink()  # of an evaluation nothing is left out
    with pytest.raises(MissingFilesError, match="val_2.jpg"):
        check(folder, skip_bad_samples=True)
    for i in range(6):
        cv2.imwrite(str(folder / f"train/train_{i}.jpg"), np.zeros((80, 60, 3), np.uint8))
    with pytest.raises(UserError, match=r"\(4 of 4 images like this\)"):
        check(folder, skip_bad_samples=True)


def test_sets_in_others_are_checked(folder):
    change(folder, "val", lambda c: c["annotations"][2].update(bbox=[1, 2, 3]))
    parts = [dataset(folder, split) for split in ("train", "val")]
    combined = dict(type="CombinedDataset", metainfo=METAINFO, datasets=parts, pipeline=[])
    repeated = dict(type="RepeatDataset", times=2, dataset=combined)
    cfg = Config(dict(train_dataloader=dict(dataset=repeated)))
    with pytest.raises(AnnotationError, match="val.json: annotation 102 has the bbox"):
        check_contents(cfg, ["train"])


PLAIN = ["AicDataset", "AP10KDataset", "AnimalPoseDataset", "OneHand10KDataset", "CrowdPoseDataset"]


@pytest.mark.parametrize("kind", PLAIN)
def test_other_sets_of_the_format_have_the_same_checks(folder, kind):
    cfg = config(folder)
    cfg.train_dataloader.dataset.type = kind
    change(folder, "train", lambda c: c["annotations"][3].update(keypoints=[1, 2, 2] * 3))
    message = "train.json: annotation 103 has 3 keypoints, not 4"
    with pytest.raises(AnnotationError, match=message):
        check_contents(cfg, ["train"])
    with pytest.raises(AnnotationError, match=message):
        DATASETS.build(cfg.train_dataloader.dataset)
    cfg.train_dataloader.dataset.skip_bad_samples = True
    assert len(DATASETS.build(cfg.train_dataloader.dataset)) == 5


def test_a_class_that_reads_other_fields_has_those_of_lists(folder):
    cfg = config(folder)
    cfg.train_dataloader.dataset.type = "FreiHandDataset"
    with pytest.raises(AnnotationError, match="train.json .*read annotation 100: .*'segmentation'"):
        DATASETS.build(cfg.train_dataloader.dataset)
    change(folder, "train", lambda c: [a.update(segmentation=[]) for a in c["annotations"]])
    check_contents(cfg, ["train"])  # its boxes are not read
    change(folder, "train", lambda c: c["annotations"][3].update(keypoints=[1, 2, 2] * 3))
    with pytest.raises(AnnotationError, match="train.json: annotation 103 has 3 keypoints, not 4"):
        DATASETS.build(cfg.train_dataloader.dataset)
    change(folder, "train", lambda c: c["annotations"][3].update(image_id=55))
    with pytest.raises(AnnotationError, match="annotation 103 is of image 55, which is not listed"):
        check_contents(cfg, ["train"])


def test_a_class_of_a_users_own_is_checked_and_told_of(folder, monkeypatch):
    kind = type("Documents", (MMPoseCocoDataset,), {})
    DATASETS.register_module(module=kind, force=True)
    cfg = config(folder)
    cfg.train_dataloader.dataset.type = "Documents"
    change(folder, "train", lambda c: c["annotations"][1].update(bbox=[0, 0, 9, 9]))
    printed = []
    monkeypatch.setattr(contents, "print_log", lambda text, *_: printed.append(text))
    check_contents(cfg, ["train"])
    (note,) = printed
    assert "annotation 101 has the bbox" in note
    assert "skip_bad_samples" not in note  # which it does not know


def test_pictures_that_nobody_is_in_or_that_are_not_read_may_be_missing(folder):
    (folder / "train/train_5.jpg").unlink()
    check(folder, indices=5)
    change(folder, "train", lambda c: c["annotations"][5].update(iscrowd=1))
    check(folder)
    change(folder, "train", lambda c: c["annotations"][5].update(iscrowd=0))
    with pytest.raises(MissingFilesError):
        check(folder)
    (folder / "train/train_4.jpg").unlink()
    (folder / "train/train_2.jpg").unlink()
    for split in ("train", "val"):
        (folder / split / f"{split}_1.jpg").unlink()
    change(folder, "train", lambda c: c["images"].remove(c["images"][5]) or c["annotations"].pop())
    check(folder, sample_interval=3)  # images 0 and 3


def detected(folder, **options):
    """The config, and boxes of a detector in the first two of three pictures."""
    boxes = [dict(image_id=i, category_id=2, bbox=[9, 9, 30, 30], score=0.5) for i in range(2)]
    (folder / "boxes.json").write_text(json.dumps(boxes))
    cfg = config(folder)
    cfg.val_dataloader.dataset.update(bbox_file=f"{folder}/boxes.json", **options)
    return cfg


def test_pictures_of_a_detectors_boxes_are_those_that_are_read(folder):
    change(folder, "val", lambda c: c["annotations"].pop(1))  # nobody is where a box is
    (folder / "val/val_2.jpg").unlink()  # and no box where somebody is
    check_contents(detected(folder), ["val"])
    (folder / "val/val_1.jpg").unlink()
    with pytest.raises(MissingFilesError, match=r"1 of the 2 images of .*val_1\.jpg"):
        check_contents(detected(folder), ["val"])


def test_boxes_that_are_all_left_out_are_told_of(folder):
    check_contents(detected(folder, filter_cfg=dict(bbox_score_thr=0.5)), ["val"])
    with pytest.raises(ConfigError, match="has no sample: .*filter_cfg .'bbox_score_thr': 0.6"):
        check_contents(detected(folder, filter_cfg=dict(bbox_score_thr=0.6)), ["val"])


def test_a_bad_box_of_a_detector_is_named(folder):
    cfg = detected(folder)
    boxes = json.loads((folder / "boxes.json").read_text())
    (folder / "boxes.json").write_text(json.dumps([*boxes, dict(boxes[0], score=None)]))
    with pytest.raises(AnnotationError, match="boxes.json: entry 2 has the score None"):
        check_contents(cfg, ["val"])


def test_pictures_without_truths_whose_boxes_are_given(folder):
    change(folder, "val", lambda c: c.pop("annotations"))
    cfg = detected(folder)
    cfg.val_evaluator = [dict(type="CocoMetric", format_only=True), dict(type="DumpResults")]
    check_contents(cfg, ["val"])
    (folder / "val/val_2.jpg").unlink()  # which has no box
    check_contents(cfg, ["val"])
    (folder / "val/val_1.jpg").unlink()
    with pytest.raises(MissingFilesError, match=r"val_1\.jpg"):
        check_contents(cfg, ["val"])
    cfg.val_evaluator[0].format_only = False
    with pytest.raises(AnnotationError, match="it has no lists 'images' and 'annotations'"):
        check_contents(cfg, ["val"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(indices=[0, 9]), r"\.indices of the config has 9, and there are 6 samples"),
        (
            dict(indices=2.5),
            r"\.indices of the config is 2\.5: it has to be a whole number, or a l",
        ),
        (dict(indices=["0"]), r"\.indices of the config is \['0'\]"),
        (
            dict(ann_file=""),
            r"\.ann_file of the config is '': it has to be the file of annotations",
        ),
        (dict(ann_file="train"), r"\.ann_file of the config is 'train': it has to be the file"),
    ],
)
def test_an_option_of_what_is_not_there(folder, options, message):
    cfg = config(folder)
    cfg.train_dataloader.dataset.update(options)
    with pytest.raises(ConfigError, match=rf"train_dataloader\.dataset{message}"):
        check_contents(cfg, ["train"])


def test_an_interval_that_leaves_nobody(folder):
    change(folder, "train", lambda c: [c[k].pop(0) for k in ("images", "annotations")])
    with pytest.raises(ConfigError, match="has no sample: its sample_interval is 7, its filter"):
        check(folder, sample_interval=7)


@pytest.mark.parametrize("indices", [0, []])
def test_indices_that_leave_nobody(folder, indices):
    with pytest.raises(ConfigError, match=r"train_dataloader\.dataset\.indices of the config is "):
        check(folder, indices=indices)


@pytest.mark.parametrize(
    ("options", "left"), [({}, 6), (dict(indices=-2), 2), (dict(indices=9), 6)]
)
def test_a_batch_that_is_dropped_must_not_be_the_only_one(folder, options, left):
    cfg = config(folder, **options)
    cfg.train_dataloader.update(drop_last=True, batch_size=left)
    check_contents(cfg, ["train"])
    cfg.train_dataloader.batch_size = left + 1
    with pytest.raises(ConfigError, match=rf"batch_size={left + 1}, and its data set {left} samp"):
        check_contents(cfg, ["train"])
    cfg.train_dataloader.drop_last = False
    check_contents(cfg, ["train"])


def test_what_cannot_be_built_is_left_to_the_builder(folder):
    check(folder, no_such_option=1)
    check(folder, data_mode="sideways")


def test_the_tool_says_so_and_writes_nothing(folder, tmp_path, synthetic):
    annotations = synthetic / "annotations/person_keypoints_train.json"
    content = json.loads(annotations.read_text())
    odd = copy.deepcopy(content)
    for entry in odd["annotations"]:
        entry["bbox"] = [value / 1000 for value in entry["bbox"]]
    (tmp_path / "odd.json").write_text(json.dumps(odd))
    work = tmp_path / "work"
    printed = run(
        "tools/train.py", DEMO, "--work-dir", work, "--cfg-options",
        *(f"{s}_dataloader.dataset.data_root={synthetic}/" for s in ("train", "val")),
        f"val_evaluator.ann_file={synthetic}/annotations/person_keypoints_val.json",
        f"train_dataloader.dataset.ann_file={tmp_path}/odd.json", expect=1,
    )  # fmt: skip
    assert re.search(
        r"^error: annotation file .*odd.json: annotation .* from 0 to 1", printed, re.M
    )
    assert not work.exists()
