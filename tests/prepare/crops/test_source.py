"""What is read of a config."""

import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.prepare.crops import read_source

from .conftest import config


def test_reads_files_augmentation_and_halves(drawn):
    train = read_source(config(drawn, scale_factor=(0.8, 1.2)), "train")
    assert train.ann_file == drawn / "annotations/person_keypoints_train.json"
    assert train.images == drawn / "train"
    (augmentation,) = train.augmentations
    assert (augmentation.input_size, augmentation.largest) == ((48, 64), 1.2)
    assert train.zoom == pytest.approx(1.25)
    # COCO: eleven keypoints from the nose to the wrists, six from the hips to the ankles
    assert train.halves == (tuple(range(11)), tuple(range(11, 17)))
    (plain,) = read_source(config(drawn), "val").augmentations
    assert (plain.half_body, plain.largest, plain.rotation) == (None, 1, 0)


def test_a_pipeline_that_a_hook_switches_to_counts(drawn):
    cfg, wide = (config(drawn, scale_factor=(0.5, high)) for high in (1.1, 1.9))
    hook = dict(type="PipelineSwitchHook", switch_epoch=5)
    hook["switch_pipeline"] = wide.train_dataloader.dataset.pipeline
    cfg.custom_hooks = [hook, dict(type="SyncBuffersHook")]
    assert [a.largest for a in read_source(cfg, "train").augmentations] == [1.1, 1.9]
    assert len(read_source(cfg, "val").augmentations) == 1


def other_type(dataset):
    dataset.type = "MpiiDataset"


def combined(dataset):
    dataset.type = "CombinedDataset"


def no_annotations(dataset):
    dataset.ann_file = "annotations/nothing.json"


def no_images(dataset):
    dataset.data_prefix.img = "nowhere/"


def bottom_up(dataset):
    dataset.pipeline = [dict(type="LoadImage")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_type, "train_dataloader.dataset.type=MpiiDataset does not read plain COCO"),
        (combined, "train_dataloader.dataset.type=CombinedDataset does not read plain COCO"),
        (no_annotations, "nothing.json .train_dataloader.dataset.ann_file. does not exist"),
        (no_images, "nowhere .train_dataloader.dataset.data_prefix.img. does not exist"),
        (bottom_up, "crops are made for top-down pipelines"),
    ],
)
def test_what_cannot_be_cropped_is_named(drawn, change, message):
    cfg = config(drawn)
    change(cfg.train_dataloader.dataset)
    with pytest.raises(UserError, match=message):
        read_source(cfg, "train")
