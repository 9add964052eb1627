"""tools/crop_dataset.py: the options that it prints, and its refusals."""

import json
import re
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction
from mmpose.registry import DATASETS

from dyrelu_pose.paths import ROOT
from dyrelu_pose.prepare.crops import SPLITS, annotation_file
from dyrelu_pose.prepare.crops.agreement import build_set, compare
from tests.scripts import load, run

TOOL = "tools/crop_dataset.py"
DEMO = ROOT / "configs/demo/resnet18.py"


@pytest.fixture
def main():
    """The tool's `main`."""
    return load(TOOL).main


def persons(root):
    """Return the number of persons of each split."""
    return {
        split: len(json.loads(annotation_file(root, split).read_text())["annotations"])
        for split in SPLITS
    }


def test_the_printed_options_read_the_crops(main, drawn, tmp_path, capsys):
    """From a config whose folders have other names, as COCO's have."""
    (tmp_path / "train2017").symlink_to(drawn / "train")
    options = [
        f"train_dataloader.dataset.data_root={tmp_path}",
        f"train_dataloader.dataset.ann_file={drawn}/annotations/person_keypoints_train.json",
        "train_dataloader.dataset.data_prefix.img=train2017",
        f"val_dataloader.dataset.data_root={drawn}",
        "val_dataloader.dataset.bbox_file=detections.json",
    ]
    crops = tmp_path / "crops"
    command = [str(DEMO), str(crops), "--workers", "1", "--cfg-options", *options]
    main(command)
    output = capsys.readouterr().out
    drawn_persons = persons(drawn)
    assert f"{crops}: {drawn_persons['train']} train + {drawn_persons['val']} val" in output

    cfg = Config.fromfile(DEMO)
    cfg.merge_from_dict(parse(options))
    cfg.merge_from_dict(parse(re.findall(r"\w+\.[\w.]+=\S+", output)))
    for split in SPLITS:
        dataset = cfg[f"{split}_dataloader"].dataset
        assert dataset.get("bbox_file") is None
        built = DATASETS.build(dataset)
        assert len(built) == drawn_persons[split]
        assert Path(built[0]["data_samples"].img_path).parent == crops / split
    assert Path(cfg.val_evaluator.ann_file).parent == crops / "annotations"

    main(command)
    again = capsys.readouterr().out
    assert "already there, nothing to do" in again
    assert output.endswith(again[-200:])


def test_the_array_trains_on_what_the_crops_show(main, drawn, tmp_path, capsys):
    crops = tmp_path / "crops"
    roots = [f"{split}_dataloader.dataset.data_root={drawn}" for split in SPLITS]
    main([str(DEMO), str(crops), "--workers", "1", "--array", "--cfg-options", *roots])
    options = parse(re.findall(r"train_\w+\.[\w.]+=\S+", capsys.readouterr().out))
    assert options.pop("train_dataloader.dataset.type") == "CropArrayDataset"
    cfg = Config.fromfile(DEMO)
    cfg.merge_from_dict(options)
    files = build_set(cfg.train_dataloader.dataset)
    array = build_set(cfg.train_dataloader.dataset, type="CropArrayDataset")
    found = compare(array, files, range(len(files)))
    assert found.samples == persons(drawn)["train"]
    assert found.keypoints_max < 0.05  # pixels of the input
    assert found.image_mean < 0.5


def test_a_refusal_is_one_line(drawn, tmp_path):
    root = f"train_dataloader.dataset.data_root={tmp_path}"
    printed = run(TOOL, DEMO, tmp_path / "crops", "--cfg-options", root, expect=1)
    assert "Traceback" not in printed
    error = printed.splitlines()[-1]
    assert error.startswith(f"error: annotation file {tmp_path}/annotations/person_keypoints_train")


def parse(options):
    """Return options as MMEngine's command lines read them."""
    parsed = (option.split("=", 1) for option in options)
    return {key: DictAction._parse_iterable(value) for key, value in parsed}
