"""tools/test.py evaluates CrowdPose and COCO-WholeBody, on a small set of each."""

import json

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from tests.scripts import run

CONFIG = """
_base_ = "dyrelu_pose::demo/dyrelu_resnet18.py"

model = dict(head=dict(out_channels={count}))
test_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type="{dataset}",
        data_root="{root}",
        data_mode="topdown",
        ann_file="{ann_file}",
        data_prefix=dict(img="val/"),
        pipeline={{{{_base_.test_dataloader.dataset.pipeline}}}},
    ),
)
test_evaluator = dict(_delete_=True, ann_file="{ann_file}", {evaluator})
"""
PARTS = {"foot_kpts": 6, "face_kpts": 68, "lefthand_kpts": 21, "righthand_kpts": 21}


def crowd(content):
    for i, image in enumerate(content["images"]):
        image["crowdIndex"] = i / len(content["images"])
    for person in content["annotations"]:
        person["keypoints"] = person["keypoints"][: 3 * 14]
        person["num_keypoints"] = sum(v == 2 for v in person["keypoints"][2::3])


def whole_body(content):
    for person in content["annotations"]:
        for name, count in PARTS.items():
            person[name] = (person["keypoints"] * 4)[: 3 * count]
            person[name.replace("kpts", "valid")] = True


@pytest.mark.parametrize(
    ("edit", "entries", "keys"),
    [
        (
            crowd,
            dict(
                count=14,
                dataset="CrowdPoseDataset",
                evaluator='type="CocoMetric", iou_type="keypoints_crowd", use_area=False, '
                'prefix="crowdpose"',
            ),
            {"crowdpose/AP", "crowdpose/AR .75", "crowdpose/AP(E)", "crowdpose/AP(H)"},
        ),
        (
            whole_body,
            dict(
                count=133,
                dataset="CocoWholeBodyDataset",
                evaluator='type="CocoWholeBodyMetric"',
            ),
            {"coco-wholebody/AP", "coco-wholebody/AR (L)"},
        ),
    ],
    ids=["crowdpose", "coco-wholebody"],
)
def test_evaluates(tmp_path, synthetic, edit, entries, keys):
    content = json.loads((synthetic / "annotations/person_keypoints_val.json").read_text())
    edit(content)
    ann_file = tmp_path / "val.json"
    ann_file.write_text(json.dumps(content))
    config = tmp_path / "config.py"
    config.write_text(CONFIG.format(root=f"{synthetic}/", ann_file=ann_file, **entries))
    model = MODELS.build(Config.fromfile(config).model)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "start.pth")
    out = tmp_path / "metrics.json"
    log = run("tools/test.py", config, tmp_path / "start.pth", "--work-dir", tmp_path / "w",
              "--out", out)  # fmt: skip
    metrics = json.loads(out.read_text())
    assert keys <= metrics.keys()
    assert all(-1 <= metrics[key] <= 1 for key in keys)
    if edit is whole_body:
        parts = ("body", "foot", "face", "lefthand", "righthand", "wholebody")
        assert all(f"Keypoint type *keypoints_{part}*" in log for part in parts)
