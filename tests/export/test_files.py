"""Exported files compute what PyTorch does, in either runtime, for any number of images."""

import importlib.util

import numpy as np
import pytest
import torch
from torch import nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.export import runtimes
from dyrelu_pose.export.files import OnnxFile, errors, operators, write
from dyrelu_pose.export.quantize import quantize_hyper
from dyrelu_pose.export.runtimes import RUNTIMES
from dyrelu_pose.layers import DyReLUA, DyReLUB, DyReLUC

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package)

import onnx  # noqa: E402

SIZE = (10, 12)  # width and height
HYPER = ["ReduceMean", "Gemm", "Relu", "Gemm", "Tanh", "Mul", "Add"]
AFFINE = {
    1: ["Squeeze", "Split", "BatchNormalization", "BatchNormalization", "Max"],
    None: ["Unsqueeze", "Split", "Mul", "Add", "Mul", "Add", "Max"],
}


class Net(nn.Sequential):
    """A network with the interface of `Network`."""

    normalizes = True

    def output_names(self, images):
        return ["heatmaps"]


def net(*layers):
    torch.manual_seed(0)
    return Net(nn.Conv2d(3, 8, 3), *layers, nn.Conv2d(8, 4, 1)).eval()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)  # few hidden units, of which some seeds leave none alive
    layers = [layer(channels=8, init="default") for layer in (DyReLUA, DyReLUB, DyReLUC)]
    return net(*layers)


@pytest.fixture(scope="module")
def written(network, tmp_path_factory):
    """The network's file for each number of images, and its int8 version for one."""
    paths = {}
    for batch in (1, 3, None):
        paths[batch] = tmp_path_factory.mktemp("net") / "net.onnx"
        write(paths[batch], network, SIZE, batch, 18)
    paths["int8 hyper"] = paths[1].with_name("int8.onnx")
    quantize_hyper(paths[1], paths["int8 hyper"])
    return paths


@pytest.fixture(params=RUNTIMES)
def opened(request, written):
    pytest.importorskip(request.param)
    return lambda kind: OnnxFile(written[kind], runtime=request.param)


@pytest.mark.parametrize("batch", [1, 3, None])
def test_a_file_computes_any_number_of_images(network, opened, batch):
    file = opened(batch)
    assert (file.batch, file.input_size, file.outputs) == (batch, SIZE, ["heatmaps"])
    assert file.normalizes
    for number in (1, 3, 4):
        images = torch.randn(number, 3, *SIZE[::-1])
        assert file.run(images.numpy())["heatmaps"].shape[0] == number
        assert errors(file, network, images)["heatmaps"] < 1e-5


@pytest.mark.parametrize("batch", AFFINE)
def test_operators_of_a_site(tmp_path, batch):
    path = tmp_path / "net.onnx"
    write(path, net(DyReLUB(channels=8, init="default")), SIZE, batch, 18)
    graph = onnx.load(str(path)).graph
    assert [node.op_type for node in graph.node] == ["Conv", *HYPER, *AFFINE[batch], "Conv"]
    assert not any(node.metadata_props for node in graph.node)


def test_int8_of_hyper_functions_is_near_and_packs_every_row(network, opened, written):
    images = torch.randn(4, 3, *SIZE[::-1])
    assert 1e-6 < errors(opened("int8 hyper"), network, images)["heatmaps"] < 0.02
    assert operators(written["int8 hyper"])["DequantizeLinear"] == 6
    weights = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(str(written["int8 hyper"])).graph.initializer
    }
    packed = {name: values for name, values in weights.items() if values.dtype == np.int8}
    assert len(packed) == 6
    for values in packed.values():
        assert (np.abs(values).max(1) == 127).all()


def test_int8_of_hyper_functions_needs_one(tmp_path):
    write(tmp_path / "net.onnx", net(nn.ReLU()), SIZE, 1, 18)
    with pytest.raises(UserError, match="no DyReLU in the model"):
        quantize_hyper(tmp_path / "net.onnx", tmp_path / "int8.onnx")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_missing_runtime_is_named(written, monkeypatch, runtime):
    find = importlib.util.find_spec
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None if name == runtime else find(name))
    with pytest.raises(UserError, match=f"need {runtime} here: pip install {runtime}"):
        OnnxFile(written[1], runtime=runtime)


@pytest.mark.parametrize(("runtime", "title"), [(name, r.title) for name, r in RUNTIMES.items()])
def test_a_broken_file_is_named(tmp_path, runtime, title):
    pytest.importorskip(runtime)
    path = tmp_path / "pose.onnx"
    with pytest.raises(UserError, match="pose.onnx does not exist"):
        OnnxFile(path, runtime=runtime)
    path.write_bytes(b"no model")
    with pytest.raises(UserError, match=f"{title} cannot read .*pose.onnx: [^\n]+$"):
        OnnxFile(path, runtime=runtime)
