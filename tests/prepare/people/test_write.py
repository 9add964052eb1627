"""The data set on disk: the same bytes for the same seed, valid COCO, and care with folders."""

import json

import cv2
import numpy as np
import pytest
from mmpose.datasets import CocoDataset
from pycocotools.coco import COCO

from dyrelu_pose.datasets.coco_keypoints import KEYPOINTS
from dyrelu_pose.errors import UserError
from dyrelu_pose.prepare.folder import META
from dyrelu_pose.prepare.people.write import (
    SPLITS,
    Parameters,
    annotation_file,
    draw_image,
    make_dataset,
)

PARAMETERS = Parameters(train=10, val=3, seed=7)
SMALL = Parameters(train=2, val=1, seed=1, width=96, height=96)


def content(folder):
    """All files below a folder with their bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("synthetic") / "set"
    assert make_dataset(out, PARAMETERS, workers=2)
    return out


@pytest.fixture
def small(tmp_path):
    make_dataset(tmp_path / "set", SMALL)
    return tmp_path / "set"


def test_same_seed_same_bytes_for_any_number_of_workers(dataset, tmp_path):
    make_dataset(tmp_path / "again", PARAMETERS, workers=1)
    assert content(tmp_path / "again") == content(dataset)
    assert len(content(dataset)) == 10 + 3 + 2 + 1


def test_pictures_depend_on_seed_split_and_place_alone():
    def picture(split, index, **changes):
        return draw_image(Parameters(width=96, height=96, **changes), split, index).picture

    first = picture("train", 0)
    np.testing.assert_array_equal(first, picture("train", 0, train=5))
    for other in (picture("train", 1), picture("val", 0), picture("train", 0, seed=1)):
        assert (first != other).any()


def test_pycocotools_reads_it(dataset, capsys):
    for split, count in (("train", 10), ("val", 3)):
        coco = COCO(str(annotation_file(dataset, split)))
        assert len(coco.getImgIds()) == count
        assert coco.loadCats(1)[0]["keypoints"] == list(KEYPOINTS)
        for image in coco.loadImgs(coco.getImgIds()):
            picture = cv2.imread(str(dataset / split / image["file_name"]))
            assert picture.shape == (image["height"], image["width"], 3)
        for annotation in coco.loadAnns(coco.getAnnIds()):
            flags = annotation["keypoints"][2::3]
            assert annotation["num_keypoints"] == sum(v > 0 for v in flags)
            assert set(flags) <= {0, 1, 2}
            assert 0 < annotation["area"] <= annotation["bbox"][2] * annotation["bbox"][3]


def test_mmpose_reads_it(dataset):
    loaded = CocoDataset(
        ann_file="annotations/person_keypoints_train.json",
        data_root=str(dataset),
        data_prefix={"img": "train/"},
        data_mode="topdown",
        pipeline=[],
    )
    entries = json.loads(annotation_file(dataset, "train").read_text())["annotations"]
    assert len(loaded) == len(entries) > 10
    assert loaded.metainfo["num_keypoints"] == len(KEYPOINTS)
    for i, entry in enumerate(entries):
        want = np.array(entry["keypoints"]).reshape(17, 3)
        np.testing.assert_allclose(loaded[i]["keypoints"][0], want[:, :2], atol=1e-4)


def test_the_skeleton_is_cocos(dataset):
    """Compared with the limbs that MMPose lists for COCO, which follow COCO's own category."""
    loaded = CocoDataset(lazy_init=True)
    category = json.loads(annotation_file(dataset, "val").read_text())["categories"][0]
    limbs = {frozenset((a - 1, b - 1)) for a, b in category["skeleton"]}
    assert limbs == {frozenset(link) for link in loaded.metainfo["skeleton_links"]}


def test_a_second_run_writes_nothing(small):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert not make_dataset(small, SMALL)
    assert before == {path: path.stat().st_mtime_ns for path in small.rglob("*")}


def test_other_parameters_need_force(small):
    other = Parameters(train=1, val=1, seed=2, width=96, height=96)
    with pytest.raises(UserError, match=r"seed=1 \(wanted 2\).*train=2 \(wanted 1\).*--force"):
        make_dataset(small, other)
    assert make_dataset(small, other, force=True)
    assert len(list((small / "train").iterdir())) == 1
    assert not make_dataset(small, other)


def test_a_folder_that_is_a_link_is_replaced_whole(small, tmp_path):
    (small / "train").rename(tmp_path / "elsewhere")
    (small / "train").symlink_to(tmp_path / "elsewhere")
    kept = content(tmp_path / "elsewhere")
    assert make_dataset(small, Parameters(train=1, val=1, seed=2, width=96, height=96), force=True)
    assert len(list((small / "train").iterdir())) == 1
    assert content(tmp_path / "elsewhere") == kept


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_other_files_is_left_alone(tmp_path, force):
    (tmp_path / "thesis.txt").write_text("chapter 1")
    with pytest.raises(UserError, match="name another folder"):
        make_dataset(tmp_path, SMALL, force=force)
    assert content(tmp_path) == {"thesis.txt": b"chapter 1"}


@pytest.mark.parametrize(
    "damage", ["unfinished", "picture lost", "annotations lost", "of an earlier version"]
)
def test_an_incomplete_data_set_is_made_again(small, damage):
    whole = content(small)
    if damage == "unfinished":
        meta = json.loads((small / META).read_text())
        (small / META).write_text(json.dumps({**meta, "files": dict.fromkeys(meta["files"])}))
    elif damage == "of an earlier version":
        meta = json.loads((small / META).read_text())
        (small / META).write_text(json.dumps(dict(complete=True, parameters=meta["parameters"])))
    elif damage == "picture lost":
        next((small / "train").iterdir()).unlink()
    else:
        annotation_file(small, "val").unlink()
    assert make_dataset(small, SMALL)
    assert content(small) == whole


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "set").write_text("")
    with pytest.raises(UserError, match="set is a file"):
        make_dataset(tmp_path / "set", SMALL)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"train": 0}, "train=0"),
        ({"val": -1}, "val=-1"),
        ({"seed": -1}, "seed=-1"),
        ({"width": 64}, "64x256"),
    ],
)
def test_impossible_parameters_are_named(wrong, message):
    with pytest.raises(UserError, match=message):
        Parameters(**wrong)


def test_splits_share_no_picture(dataset):
    pictures = [path.read_bytes() for split in SPLITS for path in (dataset / split).iterdir()]
    names = [path.name for split in SPLITS for path in (dataset / split).iterdir()]
    assert len(set(pictures)) == len(set(names)) == len(pictures) == 13
