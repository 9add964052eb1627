"""The passes as operators: as torch.library checks them, and through torch.compile and export."""

import pytest
import torch

from dyrelu_pose import DyReLUA, DyReLUB, DyReLUC
from tests.ops.cases import assert_close

from .conftest import DEVICE

pytest.importorskip("triton", reason="the Triton backend needs the package triton")

VARIANTS = [DyReLUA, DyReLUB, DyReLUC]


def arguments(name, x):
    """Return arguments of an operator for a map x (2, 8, 5, 3), every optional one among them."""
    shapes = dict(
        plane=(2, 8), positions=(2, 15), channels=(8,), coef=(2, 8, 4), grad=(2, 8, 5, 3),
        w1=(3, 8), b1=(3,), w2=(32, 3), b2=(32,), hidden=(2, 3), delta=(2, 8, 4),
    )  # fmt: skip
    t = {key: torch.randn(shape, device=DEVICE) for key, shape in shapes.items()}
    hyper = (t["w1"], t["b1"], t["w2"], t["b2"], 2, 0.9, 0.6, 1.0)
    summands = (x, t["channels"], t["grad"], t["channels"])
    coef, pi, grad = t["coef"], t["positions"], t["grad"]
    return {
        "pool": (x, t["channels"]),
        "moments": (x,),
        "apply": (x, coef, pi),
        "apply_": (x, coef, pi),
        "reduce": (x, coef, pi, grad),
        "grad_input": (x, coef, pi, grad, t["plane"], t["channels"], pi, t["channels"]),
        "apply_sum": (*summands, coef, pi),
        "reduce_sum": (*summands, coef, pi, grad),
        "grad_sum": (
            *summands,
            coef,
            pi,
            grad,
            t["plane"],
            *(t["channels"],) * 4,
            pi,
            t["channels"],
        ),
        "hyper_forward": (t["plane"], *hyper),
        "hyper_backward": (coef, t["plane"], t["hidden"], t["delta"], *hyper),
    }[name]


MAPS = {
    "nchw": lambda: torch.randn(2, 8, 5, 3),
    "nhwc": lambda: torch.randn(2, 8, 5, 3).to(memory_format=torch.channels_last),
    "sliced": lambda: torch.randn(2, 16, 5, 3).to(memory_format=torch.channels_last)[:, ::2],
    "transposed": lambda: torch.randn(2, 8, 3, 5).mT,
}


@pytest.mark.parametrize("memory", MAPS)
@pytest.mark.parametrize(
    "name",
    ["pool", "moments", "apply", "reduce", "grad_input", "apply_sum", "reduce_sum", "grad_sum"],
)
def test_operators_on_maps(name, memory):
    operator = getattr(torch.ops.dyrelu_pose, name).default
    x = MAPS[memory]().to(DEVICE)
    torch.library.opcheck(operator, arguments(name, x))
    if name != "moments":
        without = [None if optional(operator, i) else a for i, a in enumerate(arguments(name, x))]
        torch.library.opcheck(operator, tuple(without))


def optional(operator, i):
    return isinstance(operator._schema.arguments[i].type, torch.OptionalType)


@pytest.mark.parametrize("memory", ["nchw", "nhwc"])
def test_operator_that_overwrites_its_map(memory):
    x = MAPS[memory]().to(DEVICE)
    torch.library.opcheck(torch.ops.dyrelu_pose.apply_.default, arguments("apply_", x))


@pytest.mark.parametrize("name", ["hyper_forward", "hyper_backward"])
def test_operators_of_the_hyper_function(name):
    torch.library.opcheck(getattr(torch.ops.dyrelu_pose, name).default, arguments(name, None))


def assert_same(variant, traced, planned):
    """Compare operators with a plan: to the bit, but for the softmax of C, PyTorch's in the one."""
    if variant is DyReLUC:
        assert_close(traced, planned, torch.float32, factor=2)
    else:
        assert all(map(torch.equal, traced, planned))


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_layer_compiles_without_graph_breaks(variant, dynamic):
    layer = variant(8, reduction=2, backend="triton", init="default").to(DEVICE)
    torch.compiler.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=dynamic)
    x = torch.randn(2, 8, 5, 3, device=DEVICE).to(memory_format=torch.channels_last)
    inputs = [x, *layer.parameters()]
    for leaf in inputs:
        leaf.requires_grad_()
    grad = torch.randn(2, 8, 5, 3, device=DEVICE)
    y, ours = layer(x), compiled(x)
    assert_same(variant, [ours], [y])
    assert ours.stride() == x.stride()
    expected, actual = (torch.autograd.grad(out, inputs, grad) for out in (y, ours))
    assert_same(variant, actual, expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_layer_is_exported_for_any_size(variant):
    layer = variant(8, reduction=2, backend="triton", init="default").to(DEVICE).eval()
    dim = torch.export.Dim
    shapes = ({0: dim("n", max=64), 2: dim("h", max=99), 3: dim("w", max=99)},)
    program = torch.export.export(
        layer, (torch.randn(2, 8, 5, 3, device=DEVICE),), dynamic_shapes=shapes
    )
    x = torch.randn(3, 8, 4, 7, device=DEVICE)
    assert_same(variant, [program.module()(x)], [layer(x)])
