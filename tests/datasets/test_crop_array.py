"""Batches of crops against MMPose's pipeline, sample by sample, under the same random numbers."""

import pickle

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS
from scipy.stats import ks_2samp
from torch.utils.data import DataLoader

from dyrelu_pose.datasets.picture_array import PictureArray, array_file, write_array
from dyrelu_pose.errors import UserError
from dyrelu_pose.prepare.people.write import Parameters, annotation_file, make_dataset

INPUT = (96, 128)
# A Gaussian ends at 3 sigma, at cells that the last bit of a coordinate may decide.
EDGE = 0.0112
SOFTMAX = dict(
    type="SoftmaxHeatmap", input_size=INPUT, heatmap_size=(24, 32), sigma=1.5, blur_kernel_size=7
)
CODECS = {
    "softmax": SOFTMAX,
    "udp": dict(type="UDPHeatmap", input_size=INPUT, heatmap_size=(24, 32), sigma=2),
    "msra": dict(type="MSRAHeatmap", input_size=INPUT, heatmap_size=(24, 32), sigma=2),
    "unbiased": dict(
        type="MSRAHeatmap", input_size=INPUT, heatmap_size=(24, 32), sigma=2, unbiased=True
    ),
    "simcc": dict(type="SimCCLabel", input_size=INPUT, sigma=4.9, simcc_split_ratio=2.0),
}
FLIP, HALF_BODY = dict(type="RandomFlip", direction="horizontal"), dict(type="RandomHalfBody")
MOVE = dict(type="RandomBBoxTransform")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    make_dataset(folder, Parameters(train=12, val=1, seed=3))
    write_array(annotation_file(folder, "train"), folder / "train")
    return folder


def pipeline(codec="softmax", steps=(FLIP, HALF_BODY, MOVE), udp=True, after=()):
    return [
        dict(type="LoadImage"),
        dict(type="GetBBoxCenterScale"),
        *steps,
        dict(type="TopdownAffine", input_size=INPUT, use_udp=udp),
        *after,
        dict(type="GenerateTarget", encoder=CODECS[codec]),
        dict(type="PackPoseInputs", pack_transformed=True),
    ]


def build(people, steps=None, kind="CropArrayDataset", **more):
    return DATASETS.build(
        dict(
            type=kind,
            data_root=f"{people}/",
            ann_file="annotations/person_keypoints_train.json",
            data_prefix=dict(img="train/"),
            pipeline=pipeline() if steps is None else steps,
            **more,
        )
    )


def draw(dataset, index, seed):
    np.random.seed(seed)
    return dataset[index]


def assert_same(ours, theirs):
    """Compare two samples; keypoints to 0.05 pixels of the input."""
    a, b = ours["data_samples"], theirs["data_samples"]
    for key in ("id", "img_id", "flip_indices", "input_size"):
        assert a.metainfo[key] == b.metainfo[key]
    assert a.flip == b.get("flip", False)
    assert a.flip_direction == b.get("flip_direction")
    for key in ("input_center", "input_scale"):
        np.testing.assert_allclose(a.metainfo[key], b.metainfo[key], rtol=1e-5)
    for key in ("bboxes", "keypoints", "bbox_scales"):
        np.testing.assert_allclose(a.gt_instances[key], b.gt_instances[key], rtol=1e-5)
    distance = a.gt_instances.transformed_keypoints - b.gt_instances.transformed_keypoints
    assert np.abs(distance).max() < 0.05
    for labels in ("gt_instance_labels", "gt_fields"):
        if labels in b:
            assert set(a.get(labels).keys()) == set(b.get(labels).keys())
            for key, value in b.get(labels).items():
                found = getattr(a.get(labels), key)
                torch.testing.assert_close(found, value, atol=EDGE, rtol=0)
    # A flipped picture is interpolated at the same places to 1/32 of a pixel, as OpenCV has them.
    difference = ours["inputs"].float() - theirs["inputs"].float()
    assert difference.abs().mean() < 1


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("udp", [True, False])
def test_samples_are_those_of_mmposes_pipeline(people, codec, udp):
    steps = pipeline(codec, udp=udp)
    ours, theirs = build(people, steps), build(people, steps, "CocoDataset")
    assert len(ours) == len(theirs) > 12
    for index in range(len(ours)):
        assert_same(draw(ours, index, index), draw(theirs, index, index))


@pytest.mark.parametrize(
    "steps", [(), (MOVE,), (dict(FLIP, prob=1.0),), (MOVE, FLIP), (HALF_BODY, FLIP)]
)
def test_any_order_of_steps(people, steps):
    steps = pipeline(steps=steps)
    ours, theirs = build(people, steps), build(people, steps, "CocoDataset")
    for index in range(len(ours)):
        assert_same(draw(ours, index, index), draw(theirs, index, index))


def test_steps_behind_the_warp_see_one_sample_at_a_time(people):
    steps = pipeline(after=[dict(type="YOLOXHSVRandomAug")])
    ours, theirs = build(people, steps), build(people, steps, "CocoDataset")
    assert_same(draw(ours, 0, 1), draw(theirs, 0, 1))


def test_a_batch_is_its_samples(people):
    still = pipeline(steps=())
    dataset = build(people, still)
    for index, found in zip([5, 0, 5], dataset.__getitems__([5, 0, 5]), strict=True):
        assert_same(found, dataset[index])


def test_batches_are_distributed_as_mmposes_samples(people):
    """Rotations, scales, shifts and flips of one person, by Kolmogorov and Smirnov."""
    steps = pipeline(steps=(FLIP, MOVE))
    ours, theirs = build(people, steps), build(people, steps, "CocoDataset")
    np.random.seed(0)
    many = 600
    batch = ours.__getitems__([0] * many)
    single = [theirs[0] for _ in range(many)]
    for value in (
        lambda sample: sample.metainfo["input_scale"][0],
        lambda sample: sample.metainfo["input_center"][1],
        lambda sample: sample.gt_instances.transformed_keypoints[0, 5, 0],
        lambda sample: sample.gt_instances.transformed_keypoints[0, 5, 1],
    ):
        a, b = ([value(s["data_samples"]) for s in samples] for samples in (batch, single))
        assert ks_2samp(a, b).pvalue > 1e-3
    flipped = np.mean([sample["data_samples"].flip for sample in batch])
    assert 0.4 < flipped < 0.6


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_asks_for_whole_batches(people, workers):
    loader = DataLoader(build(people), batch_size=4, num_workers=workers, collate_fn=pseudo_collate)
    batch = next(iter(loader))
    assert [tuple(image.shape) for image in batch["inputs"]] == [(3, 128, 96)] * 4
    assert batch["data_samples"][3].gt_fields.heatmaps.shape == (17, 32, 24)


@pytest.mark.parametrize("indices", [[21, 0, 5, 16], [1, 0]])
def test_sets_are_combined_batch_by_batch(people, indices):
    part = dict(
        type="CropArrayDataset",
        data_root=f"{people}/",
        ann_file="annotations/person_keypoints_train.json",
        data_prefix=dict(img="train/"),
        pipeline=pipeline(steps=()),
    )
    both = DATASETS.build(dict(type="CombinedCropArrays", datasets=[dict(part, indices=16), part]))
    alone = build(people, part["pipeline"])
    assert len(both) == 16 + len(alone)
    for index, found in zip(indices, both.__getitems__(indices), strict=True):
        assert_same(found, alone[index if index < 16 else index - 16])


def test_part_of_a_set(people):
    dataset = build(people, indices=3)
    assert len(dataset) == 3
    assert_same(draw(dataset, 2, 0), draw(build(people), 2, 0))


def test_it_survives_a_process_that_is_not_forked(people):
    dataset = build(people)
    data = pickle.dumps(dataset)
    assert len(data) < 200_000  # the pictures stay in their file
    assert_same(draw(pickle.loads(data), 1, 0), draw(dataset, 1, 0))


def test_a_picture_step_before_the_warp_is_refused(people):
    for step in (dict(type="PhotometricDistortion"), dict(FLIP, direction="vertical")):
        with pytest.raises(UserError, match=f"{step['type']}.* cannot come before TopdownAffine"):
            build(people, pipeline(steps=[step]))


def test_a_pipeline_without_a_warp_is_refused(people):
    with pytest.raises(UserError, match="needs a top-down pipeline, with TopdownAffine"):
        build(people, [dict(type="LoadImage")])


def test_the_array_has_the_pictures_and_is_written_once(people):
    ann_file, folder = annotation_file(people, "train"), people / "train"
    pictures = PictureArray(ann_file, folder)
    for id in pictures.rows:
        assert np.array_equal(pictures[id], cv2.imread(str(folder / f"{id:06d}.jpg")))
    before = pictures.path.stat().st_mtime_ns
    assert write_array(ann_file, folder) == pictures.path
    assert pictures.path.stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="read-only"):
        pictures[next(iter(pictures.rows))][0] = 0


def test_an_array_of_other_annotations_is_not_taken(people, tmp_path):
    ann_file = annotation_file(people, "train")
    changed = tmp_path / "changed.json"
    changed.write_text(ann_file.read_text() + "\n")
    assert array_file(changed, people / "train") != array_file(ann_file, people / "train")
    with pytest.raises(UserError, match="are in no array, .*--array"):
        PictureArray(changed, people / "train")


def test_a_picture_of_another_size_is_refused(people, tmp_path):
    text = annotation_file(people, "train").read_text().replace('"height":256', '"height":255')
    (tmp_path / "annotations.json").write_text(text)
    with pytest.raises(UserError, match="has 256x256 pixels and the annotation file says 256x255"):
        write_array(tmp_path / "annotations.json", people / "train")
