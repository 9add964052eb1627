"""The index of a data set: MMPose's persons, each thing once, in one array, shared by workers."""

import copy
import gc
import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from dyrelu_pose.datasets import CocoDataset
from dyrelu_pose.errors import UserError

# isort: split
# mmpose imports only once dyrelu_pose has been
from mmpose.datasets import CocoDataset as MMPoseCocoDataset

from .test_damaged import CONTENT


@pytest.fixture
def options(tmp_path):
    content = copy.deepcopy(CONTENT)
    for person in content["annotations"]:
        person["segmentation"] = [[1.5, 2.5, 40.25, 2.5, 20.0, 60.75]]
    path = tmp_path / "persons.json"
    path.write_text(json.dumps(content))
    init_default_scope("mmpose")
    return dict(ann_file=str(path), data_prefix=dict(img="pictures/"))


def equal(ours, theirs):
    if type(ours) is not type(theirs):
        return False
    if isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(equal(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, np.ndarray):
        return ours.dtype == theirs.dtype and np.array_equal(ours, theirs)
    return ours == theirs


@pytest.mark.parametrize("serialize_data", [True, False])
def test_persons_are_those_of_mmpose(options, serialize_data):
    ours, theirs = (
        kind(serialize_data=serialize_data, **options) for kind in (CocoDataset, MMPoseCocoDataset)
    )
    assert len(ours) == len(theirs) == 3
    for number in range(3):
        assert equal(ours.get_data_info(number), theirs.get_data_info(number))


def test_the_index_is_one_array_with_each_outline_once(options):
    dataset = CocoDataset(**options)
    assert dataset.data_list == []
    assert not hasattr(dataset, "coco")
    assert dataset.data_bytes.dtype == np.uint8
    assert dataset.data_bytes.flags.c_contiguous
    person = dataset.get_data_info(0)
    assert person["segmentation"] is person["raw_ann_info"]["segmentation"]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(options, enabled):
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        CocoDataset(**options)
        assert gc.isenabled() == enabled
        Path(options["ann_file"]).write_text("{")
        with pytest.raises(UserError):
            CocoDataset(**options)
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
