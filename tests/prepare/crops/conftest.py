"""A drawn data set of whole images, and configs that read it."""

import json

import pytest
from mmengine.config import Config

from dyrelu_pose.prepare.people.write import Parameters, annotation_file, make_dataset


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Images of 480x360 with persons up to all their height; one box ends at the far corner."""
    out = tmp_path_factory.mktemp("drawn") / "set"
    make_dataset(out, Parameters(train=8, val=3, seed=0, width=480, height=360))
    path = annotation_file(out, "train")
    content = json.loads(path.read_text())
    content["annotations"][0]["bbox"] = [182, 90, 480 - 182, 360 - 90]
    path.write_text(json.dumps(content))
    return out


def config(root, use_udp=True, **random) -> Config:
    """A top-down config of a small input, whose augmentation is MMPose's default or `random`."""
    warp = [dict(type="TopdownAffine", input_size=(48, 64), use_udp=use_udp)]
    box = [dict(type="LoadImage"), dict(type="GetBBoxCenterScale")]
    augmentation = [
        dict(type="RandomFlip", direction="horizontal"),
        dict(type="RandomHalfBody", min_total_keypoints=6, prob=0.5),
        dict(type="RandomBBoxTransform", **random),
    ]
    codec = dict(type="UDPHeatmap", input_size=(48, 64), heatmap_size=(24, 32), sigma=1.5)
    target = [dict(type="GenerateTarget", encoder=codec), dict(type="PackPoseInputs")]
    pipelines = dict(train=box + augmentation + warp + target, val=box + warp + target)
    return Config(
        {
            f"{split}_dataloader": dict(
                dataset=dict(
                    type="CocoDataset",
                    data_root=str(root),
                    data_mode="topdown",
                    ann_file=f"annotations/person_keypoints_{split}.json",
                    data_prefix=dict(img=f"{split}/"),
                    pipeline=pipeline,
                )
            )
            for split, pipeline in pipelines.items()
        }
    )
