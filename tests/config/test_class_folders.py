"""A folder that is not laid out as classes of images is refused by one message."""

import shutil

import pytest
from mmengine.config import Config

from dyrelu_pose.config.files import check_files
from dyrelu_pose.errors import UserError
from tests.class_folders import CLASSES


@pytest.fixture
def folder(image_folder, tmp_path):
    return shutil.copytree(image_folder, tmp_path / "images")


def check(folder, classes=4, times=1):
    def loader(split):
        prefix = dict(img_path=split)
        dataset = dict(type="CustomDataset", data_root=folder, data_prefix=prefix)
        repeated = dict(type="RepeatDataset", times=times, dataset=dataset)
        return dict(dataset=repeated if times > 1 else dataset)

    cfg = dict(
        train_dataloader=loader("train"),
        val_dataloader=loader("val"),
        model=dict(head=dict(num_classes=classes)),
    )
    check_files(Config(cfg), ["train", "val"])


def test_accepts_classes(folder):
    check(str(folder))


@pytest.mark.parametrize("times", [1, 2])
def test_refuses_another_number_of_classes(folder, times):
    with pytest.raises(UserError, match=r"train \(train_data.*4 class folders.*num_classes is 9"):
        check(str(folder), 9, times)


def test_refuses_a_class_without_images(folder):
    shutil.rmtree(folder / "val/disc")
    (folder / "val/disc").mkdir()
    (folder / "val/disc/notes.txt").touch()
    with pytest.raises(UserError, match="val/disc .* holds no image"):
        check(str(folder))


def test_refuses_classes_of_one_split_only(folder):
    (folder / "val/disc").rename(folder / "val/disk")
    with pytest.raises(UserError, match="class disc is only in one of .*train, .*val"):
        check(str(folder))


def test_refuses_images_outside_of_class_folders(folder):
    """As ImageNet's validation set is unpacked."""
    for picture in (folder / "val").rglob("*.png"):
        picture.rename(folder / "val" / f"{picture.parent.name}{picture.name}")
    for name in CLASSES:
        (folder / "val" / name).rmdir()
    with pytest.raises(UserError, match="val .* has 0 class folders"):
        check(str(folder))


def test_names_a_missing_split_and_where_it_comes_from(folder):
    shutil.rmtree(folder / "val")
    target = folder.rename(folder.parent / "imagenet")
    with pytest.raises(UserError, match="(?s)/val .*IMAGENET: one folder per class"):
        check(str(target))
