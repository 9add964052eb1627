"""tools/export_onnx.py writes what PyTorch computes; tools/test.py evaluates the file."""

import json
import logging

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.registry import MODELS

from dyrelu_pose.errors import UserError
from dyrelu_pose.export.deployed import DeployedDyReLU
from dyrelu_pose.export.evaluate import compute_by_file
from dyrelu_pose.export.files import OnnxFile, operators
from tests.scripts import DEMO, load, run

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package)

import onnx  # noqa: E402


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
    return export(
        tmp_path_factory.mktemp("onnx") / "pose.onnx", "--decode", "--normalise", "--opset", 20
    )


@pytest.fixture
def ap(options, tmp_path):
    def ap(model, *flags):
        out = tmp_path / "metrics.json"
        run("tools/test.py", DEMO, model, "--work-dir", tmp_path, "--out", out, *flags, *options)
        return json.loads(out.read_text())["coco/AP"]

    return ap


def opset_of(path):
    (opset,) = (o.version for o in onnx.load(str(path)).opset_import if not o.domain)
    return opset


def test_the_file_has_the_opset_that_was_asked_for(exported):
    assert opset_of(exported) == 20


def test_the_file_has_few_operators_and_takes_any_number_of_pictures(exported):
    counts = operators(exported)
    assert counts["Max"] == 22  # one per DyReLU with two branches
    assert counts["BatchNormalization"] == 44  # one per branch; the model's are in convolutions
    file = OnnxFile(exported)
    assert file.normalizes
    assert file.input_size == (64, 128)
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 3, 128, 64)).astype(np.float32)
    found = file.run(pixels)
    assert {name: values.shape for name, values in found.items()} == dict(
        heatmaps=(3, 17, 32, 16), keypoints=(3, 17, 2), scores=(3, 17)
    )
    assert not np.allclose(found["heatmaps"], file.run(pixels / 255)["heatmaps"])


def test_the_file_has_the_ap_of_the_checkpoint_in_every_runtime(exported, ap, checkpoint):
    expected = ap(checkpoint)
    assert ap(exported) == pytest.approx(expected, abs=1e-3)
    pytest.importorskip("openvino")
    assert ap(exported, "--runtime", "openvino") == pytest.approx(expected, abs=1e-3)


def test_a_runtime_is_for_files_only(capsys):
    with pytest.raises(SystemExit, match="2"):
        load("tools/test.py").main([DEMO, "pose.pth", "--runtime", "openvino"])
    assert "--runtime computes .onnx files, and pose.pth is a checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_batch_is_a_number_or_dynamic(export, tmp_path, capsys, number):
    with pytest.raises(SystemExit, match="2"):
        export(tmp_path / "pose.onnx", f"--batch={number}")
    assert f"{number!r} is neither a number from 1 on nor 'dynamic'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "operator"), [("--int8", "QuantizeLinear"), ("--int8-hyper", "DequantizeLinear")]
)
def test_int8_is_near(export, capsys, tmp_path, flag, operator):
    path = export(tmp_path / "int8.onnx", flag, "--calibrate", "4", "--batch", "3")
    assert "int8:\nheatmaps: largest error" in capsys.readouterr().out
    assert operators(path)[operator] > 20
    assert opset_of(path) == 18
    assert OnnxFile(path).batch == 3


def test_a_file_that_is_off_is_not_written(export, monkeypatch, tmp_path):
    right = DeployedDyReLU._map
    monkeypatch.setattr(DeployedDyReLU, "_map", lambda self, x: 1.1 * right(self, x))
    with pytest.raises(UserError, match="heatmaps of the file: off by"):
        export(tmp_path / "pose.onnx")
    assert not list(tmp_path.iterdir())


def test_flat_heatmaps_are_said_to_be_why_keypoints_are_off(monkeypatch):
    tool = load("tools/export_onnx.py")
    monkeypatch.setattr(tool, "errors", lambda *_: dict(heatmaps=1e-7, keypoints=0.03, scores=0.0))
    with pytest.raises(UserError, match="the heatmaps agree.*export without --decode"):
        tool.compare(None, None, np.zeros(4), 0.001)


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """Return a function that writes an ONNX file of one convolution to heatmaps."""

    def write(channels, height, width):
        path = tmp_path_factory.mktemp("net") / "other.onnx"
        kernel = onnx.numpy_helper.from_array(np.zeros((channels, 3, 4, 4), np.float32), "k")
        node = onnx.helper.make_node("Conv", ["images", "k"], ["heatmaps"], strides=[4, 4])
        sizes = dict(images=[3, height, width], heatmaps=[channels, height // 4, width // 4])
        ends = [
            [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *size])]
            for name, size in sizes.items()
        ]
        graph = onnx.helper.make_graph([node], "net", *ends, [kernel])
        opset = onnx.helper.make_opsetid("", 17)
        onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), str(path))
        return OnnxFile(path)

    return write


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            (17, 96, 48),
            r"other\.onnx takes images of 48 x 96 .*, and the config makes them 64 x 128",
        ),
        ((4, 128, 64), r"other\.onnx returns 4 x 32 x 16 .* head of the config 17 x 32 x 16"),
    ],
    ids=["size", "keypoints"],
)
def test_a_file_of_another_model_is_not_evaluated(net, file, message):
    model = MODELS.build(Config.fromfile(DEMO).model)
    with pytest.raises(UserError, match=message):
        compute_by_file(model, net(*file), (64, 128))
    compute_by_file(model, net(17, 128, 64), (64, 128))


def test_an_opset_that_cannot_be_made_is_refused(export, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)  # of a log that an earlier test closed
    with pytest.raises(UserError, match="cannot be exported in opset 11, only in opset 18"):
        export(tmp_path / "pose.onnx", "--opset", 11)
    assert not list(tmp_path.iterdir())
    assert "Traceback" not in capfd.readouterr().err


def test_a_file_that_the_runtime_refuses_is_not_written(export, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("no such operator\nin this version")

    monkeypatch.setattr("onnxruntime.InferenceSession", refuse)
    with pytest.raises(UserError, match="opset 18 fails, no file is .*: no such operator$"):
        export(tmp_path / "pose.onnx")
    assert not list(tmp_path.iterdir())
