"""tools/export_onnx.py writes what PyTorch computes; tools/test.py evaluates the file."""

import json

import numpy as np
import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.export.deployed import DeployedDyReLU
from dyrelu_pose.export.files import OnnxFile, operators
from tests.scripts import DEMO, load, run

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package)


@pytest.fixture(scope="module")
def options(synthetic):
    return [
        "--cfg-options",
        *(f"{s}_dataloader.dataset.data_root={synthetic}/" for s in ("train", "val", "test")),
        f"test_evaluator.ann_file={synthetic}/annotations/person_keypoints_val.json",
        "test_dataloader.num_workers=0",
        "test_dataloader.persistent_workers=False",
    ]


@pytest.fixture(scope="module")
def export(checkpoint, options):
    tool = load("tools/export_onnx.py")

    def run(out, *arguments):
        command = [DEMO, checkpoint, out, "--repeats", 1, "--num", 4, *arguments, *options]
        tool.main([*map(str, command)])
        return out

    return run


@pytest.fixture(scope="module")
def exported(export, tmp_path_factory):
    return export(tmp_path_factory.mktemp("onnx") / "pose.onnx", "--decode", "--normalise")


@pytest.fixture
def ap(options, tmp_path):
    def ap(model):
        out = tmp_path / "metrics.json"
        run("tools/test.py", DEMO, model, "--work-dir", tmp_path, "--out", out, *options)
        return json.loads(out.read_text())["coco/AP"]

    return ap


def test_the_file_has_few_operators_and_takes_any_number_of_pictures(exported):
    counts = operators(exported)
    assert counts["BatchNormalization"] == 0  # in the convolutions
    assert counts["Max"] == 22  # one per DyReLU with two branches
    file = OnnxFile(exported)
    assert file.normalizes
    assert file.input_size == (64, 128)
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 3, 128, 64)).astype(np.float32)
    found = file.run(pixels)
    assert {name: values.shape for name, values in found.items()} == dict(
        heatmaps=(3, 17, 32, 16), keypoints=(3, 17, 2), scores=(3, 17)
    )
    assert not np.allclose(found["heatmaps"], file.run(pixels / 255)["heatmaps"])


def test_the_file_has_the_ap_of_the_checkpoint(exported, ap, checkpoint):
    assert ap(exported) == pytest.approx(ap(checkpoint), abs=1e-3)


def test_int8_is_near(export, capsys, tmp_path):
    path = export(tmp_path / "int8.onnx", "--int8", "--calibrate", "4", "--batch", "1")
    assert "int8:\nheatmaps: largest error" in capsys.readouterr().out
    counts = operators(path)
    assert counts["QuantizeLinear"] > 20
    assert OnnxFile(path).batch == 1


def test_a_file_that_is_off_is_not_written(export, monkeypatch, tmp_path):
    right = DeployedDyReLU._map
    monkeypatch.setattr(DeployedDyReLU, "_map", lambda self, x: 1.1 * right(self, x))
    with pytest.raises(UserError, match="heatmaps of the file is off by"):
        export(tmp_path / "pose.onnx")
    assert not list(tmp_path.iterdir())


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "pose.onnx"
    with pytest.raises(UserError, match="pose.onnx does not exist"):
        OnnxFile(path)
    path.write_bytes(b"no model")
    with pytest.raises(UserError, match="cannot read .*pose.onnx"):
        OnnxFile(path)
