"""Files, folders and the validation set as inputs of a model."""

import copy
import json

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from dyrelu_pose.config.parts import innermost_dataset
from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.inputs import evenly_spaced, stack_inputs
from dyrelu_pose.inspection import samples


def names(found):
    return [sample["data_samples"].img_path.rpartition("/")[2] for sample in found]


def test_indices_hold_the_ends():
    assert evenly_spaced(10, 4) == [0, 3, 6, 9]
    assert evenly_spaced(3, 64) == [0, 1, 2]
    assert evenly_spaced(0, 6) == []


def test_folders_and_files(cfg, pictures):
    found = samples(cfg, [pictures / "3.png", pictures], 64)
    assert names(found) == ["3.png", "0.png", "1.png", "2.png", "3.png", "4.png"]
    assert found[0]["inputs"].shape == (3, 128, 64)
    assert found[0]["inputs"].dtype == torch.uint8


def test_pipeline_that_makes_targets_of_keypoints(pictures):
    study = Config.fromfile("configs/study/resnet18-8_demo.py")
    assert any(step.type == "GenerateTarget" for step in study.test_dataloader.dataset.pipeline)
    found = samples(study, [pictures], 2)
    assert [sample["inputs"].shape for sample in found] == [(3, 96, 64)] * 2


def test_at_most_so_many(cfg, pictures):
    assert names(samples(cfg, [pictures], 3)) == ["0.png", "2.png", "4.png"]


def test_validation_set(cfg, pictures, tmp_path):
    keypoints = [10, 10, 2] * 17
    person = dict(category_id=1, iscrowd=0, num_keypoints=17, keypoints=keypoints, area=400)
    content = dict(
        images=[dict(id=i, file_name=f"{i}.png", width=60, height=40) for i in range(3)],
        annotations=[dict(person, id=i, image_id=i, bbox=[5, 5, 20, 20]) for i in range(3)],
        categories=[dict(id=1, name="person")],
    )
    (tmp_path / "val.json").write_text(json.dumps(content))
    own = cfg.copy()
    own.merge_from_dict(
        {
            "val_dataloader.dataset.data_root": f"{tmp_path}/",
            "val_dataloader.dataset.ann_file": "val.json",
            "val_dataloader.dataset.data_prefix": dict(img=f"{pictures}/"),
        }
    )
    own.model = {**cfg.model, "backbone": dict(init_cfg=dict(type="Pretrained", checkpoint="no"))}
    assert names(samples(own, [], 2)) == ["0.png", "2.png"]


def test_what_is_wrong_with_the_images_is_named(cfg, pictures, tmp_path):
    with pytest.raises(UserError, match="absent.png: no such file or folder"):
        samples(cfg, [tmp_path / "absent.png"], 64)
    with pytest.raises(UserError, match=f"{tmp_path}: no file in this folder ends in .jpg"):
        samples(cfg, [tmp_path], 64)
    found = samples(cfg, [pictures / "notes.txt", pictures], 64)
    with pytest.raises(UserError, match="notes.txt cannot be decoded"):
        found[0]
    whole = (pictures / "1.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"cut\.png"):
        samples(cfg, [tmp_path / "cut.png", pictures], 64)[0]


def test_a_picture_is_as_wide_as_it_is_shown(cfg, pictures, tmp_path):
    """A camera's note to turn the picture is obeyed by the box as by the loader."""
    picture = Image.open(pictures / "1.png")
    exif = picture.getexif()
    exif[0x0112] = 6  # turn by 90 degrees
    picture.save(tmp_path / "turned.jpg", exif=exif)
    found = samples(cfg, [tmp_path / "turned.jpg", pictures], 64)[0]
    assert found["data_samples"].ori_shape == (60, 40)
    assert found["data_samples"].input_center.tolist() == [20, 30]


META = dict(from_file="configs/_base_/datasets/coco.py")
AROUND = {
    "RepeatDataset": lambda part: dict(type="RepeatDataset", times=1, dataset=part),
    "CombinedDataset": lambda part: dict(
        type="CombinedDataset",
        metainfo=META,
        datasets=[dict(part, pipeline=[])],
        pipeline=part["pipeline"],
    ),
    "ConcatDataset": lambda part: dict(type="ConcatDataset", datasets=[part]),
}


@pytest.mark.parametrize("around", AROUND)
def test_training_set_without_what_is_random(cfg, people, around):
    own = copy.deepcopy(cfg)
    part = dict(innermost_dataset(own.train_dataloader.dataset), data_root=f"{people}/")
    own.train_dataloader.dataset = part
    expected = stack_inputs(own, (), 4, training=True)
    own.train_dataloader.dataset = AROUND[around](part)
    assert torch.equal(stack_inputs(own, (), 4, training=True), expected)
    assert own.train_dataloader.dataset.to_dict() == AROUND[around](part)  # as it was
