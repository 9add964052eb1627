"""State dicts of public ports load and compute what the port computes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dyrelu_pose import DyReLUA, DyReLUB, DyReLUC


def port_state_dict(variant, channels, reduction, k):
    """Return a random state dict under the ports' names; see ports.py for where they differ."""
    hidden = channels // reduction
    outputs = 2 * k * (1 if variant is DyReLUA else channels)
    start = torch.tensor([1.0] + [0.0] * (2 * k - 1))
    lambdas = torch.tensor([1.0] * k + [0.5] * k)
    if variant is not DyReLUC:
        return {
            "lambdas": lambdas,
            "init_v": start,
            "fc1.weight": torch.randn(hidden, channels),
            "fc1.bias": torch.randn(hidden),
            "fc2.weight": torch.randn(outputs, hidden),
            "fc2.bias": torch.randn(outputs),
        }
    return {
        "lambdas": lambdas,
        "bias": start,
        "coef.1.weight": torch.randn(hidden, channels, 1, 1),
        "coef.1.bias": torch.randn(hidden),
        "coef.3.weight": torch.randn(outputs, hidden, 1, 1),
        "coef.3.bias": torch.randn(outputs),
        "sptial.weight": torch.randn(1, channels, 1, 1),
        "sptial.bias": torch.randn(1),
    }


def run_port(variant, state, x, k):
    """Compute what the ports compute, written out with their tensors."""
    names = ("coef.1", "coef.3") if variant is DyReLUC else ("fc1", "fc2")
    s = x.mean((2, 3))
    for i, name in enumerate(names):
        s = F.linear(s, state[f"{name}.weight"].flatten(1), state[f"{name}.bias"])
        s = s.relu() if i == 0 else s
    theta = (2 * s.sigmoid() - 1).view(len(x), -1, 2 * k)
    start = state["bias" if variant is DyReLUC else "init_v"]
    coefficients = theta * state["lambdas"] + start  # (N, C or 1, 2K)
    branches = (
        x[..., None] * coefficients[:, :, None, None, :k] + coefficients[:, :, None, None, k:]
    )
    y = branches.amax(-1)
    if variant is DyReLUC:
        z = F.conv2d(x, state["sptial.weight"], state["sptial.bias"]).flatten(1) / 10
        pi = (z.shape[1] / 3 * z.softmax(1)).clamp(max=1)
        y = y * pi.view(len(x), 1, *x.shape[2:])
    return y


@pytest.mark.parametrize("variant", [DyReLUA, DyReLUB, DyReLUC])
@pytest.mark.parametrize("k", [2, 3])
def test_port_loads_strictly_and_computes_the_same(variant, k):
    state = port_state_dict(variant, 8, 4, k)
    model = nn.ModuleDict({"stem": nn.Sequential(variant(8, reduction=4, k=k))})
    model.load_state_dict({f"stem.0.{name}": value for name, value in state.items()})
    x = torch.randn(2, 8, 5, 3)
    torch.testing.assert_close(model["stem"](x), run_port(variant, state, x, k))


def test_port_with_other_lambdas_is_refused():
    state = port_state_dict(DyReLUB, 8, 4, 2)
    state["lambdas"][0] = 2.0
    with pytest.raises(ValueError, match=r"lambdas of the checkpoint is \[2.0, 1.0, 0.5, 0.5\]"):
        DyReLUB(8, reduction=4).load_state_dict(state)
