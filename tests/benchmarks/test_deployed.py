"""benchmarks/deployed.py: where it places DyReLU; every form computes what PyTorch does."""

import pytest
import torch
import torch_forms
from deployed import CASES
from mmpose.registry import MODELS
from torch import nn

from dyrelu_pose.layers import DyReLU, DyReLUB, DyReLUC


@pytest.mark.parametrize(
    ("placement", "sites"), [("none", 0), ("all", 42), ("deep", 23), ("head", 7)]
)
def test_places_dyrelu(placement, sites):
    model = MODELS.build(CASES["mobilenetv2_256x192_r32"].load(placement).model)
    layers = [module for module in model.modules() if isinstance(module, DyReLU)]
    assert len(layers) == sites
    assert {layer.reduction for layer in layers} <= {32}


@pytest.mark.parametrize("name", ["eager, deployed", "torch.export", "TorchScript"])
def test_a_form_computes_what_pytorch_does(tmp_path, name):
    layers = DyReLUB(channels=8, init="default"), DyReLUC(channels=8, init="default")
    network = nn.Sequential(nn.Conv2d(3, 8, 3), *layers).eval()
    image = torch.randn(1, 3, 12, 10)
    with torch.no_grad():
        found = torch_forms.FORMS[name](network, image, tmp_path)(image)
        torch.testing.assert_close(found, network(image))
    assert any(isinstance(module, DyReLU) for module in network.modules())  # as it was


@pytest.mark.parametrize("name", ["torch.compile", "AOTInductor"])
def test_a_form_that_needs_a_compiler_says_so(tmp_path, monkeypatch, name):
    monkeypatch.setattr(torch_forms.shutil, "which", lambda name: None)
    with pytest.raises(torch_forms.Skipped, match="no C\\+\\+ compiler"):
        torch_forms.FORMS[name](nn.ReLU(), torch.zeros(1), tmp_path)
