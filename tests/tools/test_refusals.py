"""What does not agree is refused by the tools in one line, and nothing has been written by then."""

import json
import re
import shutil
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from PIL import Image

from tests.scripts import run

CONFIG = """
_base_ = "dyrelu_pose::demo/resnet18.py"

model = dict(
    backbone=dict(stem_channels=8, base_channels=8),
    head=dict(in_channels=64, stages=((8,), (8,), (8,))),
)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root="people/"))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root="people/"))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file="people/annotations/person_keypoints_val.json")
test_evaluator = val_evaluator
"""
DESCRIBED = """
train_dataloader["dataset"]["metainfo"] = dict(
    dataset_name="own", keypoint_info={i: dict(name=f"k{i}", id=i) for i in range(17)},
    skeleton_info={}, joint_weights=[1.0] * 17, sigmas=[0.1],
)
"""
BACKWARDS = """
reversed = dict(
    dataset_name="own",
    keypoint_info={i: dict(name=f"k{16 - i}", id=i, type="", swap="") for i in range(17)},
    skeleton_info={}, joint_weights=[1.0] * 17, sigmas=[0.1] * 17,
)
forwards = {i: dict(name=f"k{i}", id=i, type="", swap="") for i in range(17)}
val_dataloader["dataset"]["metainfo"] = reversed
train_dataloader["dataset"]["metainfo"] = dict(reversed, keypoint_info=forwards)
"""
PIPELINE = 'pipeline = train_dataloader["dataset"]["pipeline"] = list(_base_.train_pipeline)\n'
COMBINED = """
part = dict(train_dataloader["dataset"], type="CocoDataset", data_prefix=dict(img="train/"),
            ann_file="annotations/person_keypoints_train.json")
train_dataloader["dataset"] = dict(
    _delete_=True, type="CombinedDataset", datasets=[part], pipeline=_base_.train_pipeline,
    metainfo=dict(from_file="mmpose::_base_/datasets/aic.py"),
)
"""
MIXED = """
test_evaluator = dict(
    _delete_=True, type="MultiDatasetEvaluator", metrics=[val_evaluator],
    datasets=[dict(type="CocoDataset")],
)
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of the model, none of a training."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "own.py").write_text(CONFIG)
    model = MODELS.build(Config.fromfile(folder / "own.py").model)
    torch.save(dict(state_dict=model.state_dict()), folder / "model.pth")
    return folder / "model.pth"


@pytest.fixture
def folder(people, weights, tmp_path):
    """A user's folder: config, weights, two drawn people to train on and two to validate with."""
    shutil.copytree(people, tmp_path / "people")
    shutil.copy(weights, tmp_path / "model.pth")
    (tmp_path / "own.py").write_text(CONFIG)
    return tmp_path


def edited(split, change):
    """Return what changes the content of an annotation file."""

    def edit(folder):
        path = folder / f"people/annotations/person_keypoints_{split}.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return edit


def each(split, **changes):
    """Return what changes all annotations of a file, by values or functions of what is there."""

    def change(content):
        for person in content["annotations"]:
            for key, value in changes.items():
                person[key] = value(person) if callable(value) else value

    return edited(split, change)


def first(split, kind="annotations", **changes):
    return edited(split, lambda content: content[kind][0].update(changes))


def without(split, key):
    return edited(split, lambda content: content["annotations"][0].pop(key))


def pictures(split, change):
    def edit(folder):
        for path in (folder / "people" / split).iterdir():
            change(path)

    return edit


def turn(path):
    tag = Image.Exif()
    tag[0x0112] = 6
    Image.open(path).save(path, exif=tag)


def halve(path):
    cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), None, fx=0.5, fy=0.5))


def truncate(split):
    """Return what cuts the last picture of a split in half."""

    def edit(folder):
        path = max((folder / "people" / split).iterdir())
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return edit


def page(path):
    path.write_text("<!DOCTYPE html>")


def scaled(key, step, factor):
    """Return a function of a person's entry: its values, each `step`-th kept, times a factor."""
    return lambda person: [
        value if step and i % step == step - 1 else value * factor
        for i, value in enumerate(person[key])
    ]


def corners(person):
    left, top, width, height = person["bbox"]
    return [left, top, left + width, top + height]


def in_utf_16(folder):
    path = folder / "people/annotations/person_keypoints_val.json"
    path.write_text(path.read_text(), encoding="utf-16")


def add(text):
    """Return what adds lines to the config."""

    def edit(folder):
        with (folder / "own.py").open("a") as file:
            file.write(text)

    return edit


def renamed(prefix):
    def edit(folder):
        state = torch.load(folder / "model.pth")["state_dict"]
        state = {f"{prefix}{name}": tensor for name, tensor in state.items()}
        torch.save(dict(state_dict=state), folder / "model.pth")

    return edit


def boxes(folder):
    entry = dict(image_id=900002, category_id=1, bbox=[10, 10, 50, 50], score=0.5)
    (folder / "boxes.json").write_text(json.dumps([entry, dict(entry, image_id=7)]))


def nothing(folder):
    pass


TRAIN, VAL = "train_dataloader.dataset", "val_dataloader.dataset"
SIZES = "they do not belong together"
# What is wrong, options of the command line, and the message. Of files that are trained on:
FILES = {
    "turned by EXIF": (pictures("train", turn), [], rf"turned, perhaps by its EXIF tag.*{SIZES}"),
    "halved": (pictures("train", halve), [], rf"has \d+x\d+ pixels and the annotation.*{SIZES}"),
    "no picture": (pictures("train", Path.unlink), [], "2 of the 2 images .* are not in people/tr"),
    "no file name": (first("train", "images", file_name=""), [], "has no file_name"),
    "no size": (first("train", "images", width=None), [], "has no width and height"),
    "boxes from 0 to 1": (each("train", bbox=scaled("bbox", 0, 0.005)), [], "has the bbox .*0 to"),
    "points from 0 to 1": (
        each("train", keypoints=scaled("keypoints", 3, 0.005)), [], "has keypoints from 0 to 1"),
    "boxes of others": (each("train", bbox=[0, 0, 3, 3]), [], "holds none of its .* labelled keyp"),
    "points of a larger picture": (
        each("train", keypoints=scaled("keypoints", 3, 9), bbox=scaled("bbox", 0, 9)), [],
        "labelled keypoints outside of its picture|has nobody|reaches out"),
    "an id that is a string": (first("train", id="1"), [], "has the id '1', a string"),
    "an id beyond 64 bits": (first("train", id=2**70), [], "ids are of 64 bits at most"),
    "an id twice": (each("train", id=7), [], "7 has the id of another annotation"),
    "a visibility": (each("train", keypoints=[5, 5, 3] * 17), [], "visibility other than 0, 1 and"),
    "other points": (each("train", keypoints=[50, 50, 2] * 16), [], "has 16 keypoints, not 17"),
    "no points": (each("train", keypoints=[0] * 51), [], "has no labelled keypoint"),
    "a truncated picture": (truncate("train"), [], r"is truncated; .* \(1 of 2 images are dam"),
    "nobody": (each("train", bbox=[0, 0, 0, 0]), [], "has nobody with labelled keypoints and a b"),
}  # fmt: skip
# of files that are evaluated:
TRUTHS = {
    "no area": (without("val", "area"), [], "annotation 9000010 has no area"),
    "area 0": (each("val", area=0), [], "has the area 0, not a positive number"),
    "area as a string": (each("val", area="9"), [], "has the area '9'"),
    "a flat box": (first("val", bbox=[9, 9, 0, 9]), [], "has a bbox of 0 x 9 pixels"),
    "no categories": (edited("val", lambda c: c.pop("categories")), [], "it has no 'categories'"),
    "a category as a string": (
        each("val", category_id="1"),
        [],
        "has the category_id '1', which is not",
    ),
    "UTF-16": (in_utf_16, [], "val.json is not valid JSON: 'utf-8' codec"),
    "a truncated picture": (truncate("val"), [], r"is truncated; .* \(1 of 2 images are dam"),
    "a web page": (pictures("val", page), [], r"cannot be decoded; .* \(2 of 2 images are dam"),
    "a picture": (pictures("val", Path.unlink), [], "2 of the 2 images .* are not in people/val"),
}
# of configs:
PARTS = {
    "head": (nothing, ["model.head.out_channels=4"], r"head\.out_channels of the config is 4, and"),
    "sigmas": (add(DESCRIBED), [], "has 1 sigmas for 17 keypoints"),
    "an order": (add(BACKWARDS), [], r"keypoint 0 of train_.* is k0, and that of val_.* is k16"),
    "heatmaps": (nothing, ["codec.heatmap_size=(8,16)"], "makes heatmaps of 16 x 32"),
    "images": (nothing, [f"{VAL}.pipeline.2.input_size=(96,128)"], "makes images of 96 x 128"),
    "layers": (nothing, ["model.head.in_channels=512"], "model of the config cannot be run"),
    "loss": (nothing, ["model.head.loss.type=KLDiscretLoss"], r"model\.head\.loss .* cannot be c"),
    "evaluator": (
        nothing, ["val_evaluator.ann_file=people/annotations/person_keypoints_train.json"],
        r"val_evaluator\.ann_file .* and val_dataloader\.dataset is of"),
    "metric": (nothing, ["val_evaluator=[{'type': 'NME', 'norm_mode': 'x'}]"], r"val_evaluator"),
    "save_best": (nothing, ["default_hooks.checkpoint.save_best=PCK"], "save_best .* is PCK, and"),
    "monitor": (nothing, ["custom_hooks=[{'type': 'EarlyStoppingHook', 'monitor': 'mAP'}]"],
                r"custom_hooks\.0\.monitor of the config is mAP"),
    "no LoadImage": (add(PIPELINE + "del pipeline[0]"), [],
                     r"\w+ in the pipeline of train_.* needs 'img', which no step before it makes"),
    "no centre": (add(PIPELINE + "del pipeline[1]"), [],
                  r"\w+ in the pipeline of train_.* needs 'bbox_"),
    "no targets": (add(PIPELINE + "pipeline[5], pipeline[4] = pipeline[4], pipeline[5]"), [],
                   "pipeline of train_.* has GenerateTarget before TopdownAffine"),
    "flipped after": (add(PIPELINE + "pipeline.insert(5, pipeline.pop(2))"), [],
                      "pipeline of train_.* has RandomFlip after TopdownAffine"),
    "not packed": (add(PIPELINE + "del pipeline[-1]"), [], "of train_.* ends without PackPose"),
    "not cut": (add(PIPELINE + "del pipeline[4]"), [], "makes images of .* a TopdownAffine"),
    "combined": (add(COMBINED), [], "describes 14 keypoints, and .* has 17"),
    "a rate": (add("optim_wrapper = dict(optimizer=dict(lr='2e-3'))"), [],
               "optim_wrapper of the config cannot be built: TypeError"),
    "a schedule": (add("param_scheduler = [dict(type='LinearLR', start_factor='1')]"), [],
                   r"param_scheduler\.0 of the config cannot be built"),
    "of whole bodies": (nothing, ["val_evaluator.type=CocoWholeBodyMetric"], "has no 'foot_kpts'"),
    "of crowds": (nothing, ["val_evaluator.type=CocoMetric",
                            "val_evaluator.iou_type=keypoints_crowd"], "has no 'crowdIndex'"),
    "an option": (nothing, ["val_evaluator.score_mode=box"], "val_evaluator of the config cannot"),
    "a key": (nothing, ["optim_wrapper.clip_grad.max_nrom=1"], "max_nrom of the config is read by"),
    "a class": (nothing, ["param_scheduler.0.type=Step"], "'Step': there is no such param"),
    "boxes": (boxes, [f"{VAL}.bbox_file=boxes.json"], r"boxes\.json: entry 1 is of image 7"),
}  # fmt: skip
# of checkpoints:
PRETRAINED = "model['backbone']['init_cfg'] = dict(type='Pretrained', checkpoint='model.pth'{})\n"
WEIGHTS = {
    "behind a prefix": (renamed("net."), ["load_from=model.pth"], "behind 'net.' fit: write them"),
    "no checkpoint": (lambda folder: page(folder / "model.pth"), ["load_from=model.pth"],
                      "model.pth cannot be read: it is a web page"),
    "of the whole model": (add(PRETRAINED.format("")), [],
                           r"model\.backbone\.init_cfg: nothing .*\.prefix='backbone\.'"),
    "no such prefix": (add(PRETRAINED.format(", prefix='net'")), [],
                       r"model\.backbone\.init_cfg: nothing .*\.prefix='backbone\.'"),
    "resumed": (nothing, ["resume=True", "load_from=model.pth"], "not one that a training can be"),
}  # fmt: skip


def refused(tool, *arguments, folder, message):
    """Check that a tool says one thing, and has left no more in its folder than there was."""
    before = sorted(folder.rglob("*"))
    printed = run(f"tools/{tool}.py", *arguments, cwd=folder, expect=1)
    error = printed[printed.rindex("error: ") :]
    assert re.search(message, error, re.DOTALL), error
    assert "Traceback" not in printed
    assert sorted(folder.rglob("*")) == before


def cases(*kinds):
    return pytest.mark.parametrize(
        ("change", "options", "message"),
        [pytest.param(*case, id=name) for kind in kinds for name, case in kind.items()],
    )


@cases(FILES, TRUTHS, PARTS, WEIGHTS)
def test_a_training(change, options, message, folder):
    change(folder)
    flags = ["--cfg-options", *options] if options else []
    refused("train", "own.py", *flags, folder=folder, message=message)


@cases({"truth": TRUTHS["no area"], "pictures": TRUTHS["a picture"], "part": PARTS["head"]})
def test_a_test(change, options, message, folder):
    change(folder)
    options = [option.replace("val_", "test_") for option in options]
    flags = ["--cfg-options", *options] if options else []
    message = message.replace("val_", "test_")
    refused("test", "own.py", "model.pth", *flags, folder=folder, message=message)


OUTPUTS = {
    "train": ("own.py", "--work-dir"),
    "test": ("own.py", "model.pth", "--out"),
    "demo": ("people/val", "--out"),
    "export_onnx": ("own.py", "model.pth"),
    "crop_dataset": ("own.py",),
    "detect": ("no.onnx", "people/val", "--out"),
    "ablate": ("grid.py", "--work-dir"),
    "list_sites": ("own.py", "--png"),
    "visualize_dyrelu": ("own.py", "model.pth", "people/val", "--out"),
    "plot_log": ("people", "--out"),
    "complexity": ("own.py", "--csv"),
    "publish_model": ("model.pth",),
}


@pytest.mark.parametrize("tool", OUTPUTS)
def test_an_output_below_a_file(tool, folder):
    (folder / "grid.py").write_text("base = 'own.py'\nbaseline = 'relu'\ncells = dict(relu={})\n")
    name = {"test": "m.json", "export_onnx": "m.onnx"}.get(tool, "m.png")
    output = f"own.py/{name}"
    message = "cannot be written to: own.py is a file"
    refused(tool, *OUTPUTS[tool], output, folder=folder, message=message)


@pytest.mark.parametrize(
    ("name", "message"), [("people", "it is a folder"), ("m.txt", "end in .js")]
)
def test_metrics_to_no_file(name, message, folder):
    refused("test", "own.py", "model.pth", "--out", name, folder=folder, message=message)


def test_a_dump_of_an_evaluator_of_mixed_sets(folder):
    add(MIXED)(folder)
    message = "--dump adds a metric, and test_evaluator of the config is MultiDatasetEvaluator"
    refused("test", "own.py", "model.pth", "--dump", "all.pkl", folder=folder, message=message)


def test_a_flag_without_its_entry(folder):
    add("auto_scale_lr = None\n")(folder)
    message = "--auto-scale-lr sets something in auto_scale_lr of the config, and there is none"
    refused("train", "own.py", "--auto-scale-lr", folder=folder, message=message)
    add("default_hooks = dict(badcase=None)\n")(folder)
    message = r"--badcase sets something in default_hooks\.badcase of the config, and there is none"
    refused("test", "own.py", "model.pth", "--badcase", folder=folder, message=message)


@cases({name: FILES[name] for name in ("turned by EXIF", "no picture", "points from 0 to 1")})
def test_cropping(change, options, message, folder):
    change(folder)
    refused("crop_dataset", "own.py", "crops", folder=folder, message=message)


@cases({"file": FILES["halved"], "truth": TRUTHS["no area"], "part": PARTS["head"]})
def test_an_ablation(change, options, message, folder):
    change(folder)
    grid = "base = 'own.py'\nbaseline = 'relu'\ncells = dict(relu=dict())\n"
    (folder / "grid.py").write_text(grid)
    flags = ["--cfg-options", *options] if options else []
    refused("ablate", "grid.py", *flags, folder=folder, message=message)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("flag", ["--amp", "--cuda-graph"])
def test_what_needs_a_gpu(flag, folder):
    add("optim_wrapper = dict(loss_scale=512.0)\n" * (flag == "--amp"))(folder)
    refused("train", "own.py", flag, folder=folder, message=rf"\({flag}\).*: leave it out")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_an_ablation_that_needs_a_gpu(folder):
    (folder / "grid.py").write_text("base = 'own.py'\nbaseline = 'relu'\ncells = dict(relu={})\n")
    add("optim_wrapper = dict(type='AmpOptimWrapper')\n")(folder)
    refused("ablate", "grid.py", folder=folder, message="AmpOptimWrapper .*: leave it out")
