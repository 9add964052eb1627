"""Backends: which one runs, the compiled one against the reference, and what is refused."""

import inspect
import warnings

import pytest
import torch

from dyrelu_pose import DyReLUB
from dyrelu_pose.ops import compiled, dyrelu, dyrelu_given
from dyrelu_pose.ops.backends import passes_of
from dyrelu_pose.ops.eager import EAGER, TorchPasses
from dyrelu_pose.ops.passes import Passes

from .cases import NUMBA, assert_close, call_layer, make, make_layer, run


def test_eager_is_eager():
    assert passes_of("eager", torch.zeros(1, 1)) is EAGER


@pytest.mark.parametrize("name", [name for name in vars(Passes) if not name.startswith("_")])
@pytest.mark.parametrize("backend", ["torch", "numba", "triton"])
def test_each_backend_has_its_own_passes_with_the_signatures_of_the_protocol(backend, name):
    if backend == "triton":
        pytest.importorskip("triton", reason="the Triton backend needs the package triton")
        from dyrelu_pose.ops.triton_kernels.passes import TritonPasses as passes
    elif backend == "numba":
        pytest.importorskip("numba", reason="the Numba backend needs the package numba")
        from dyrelu_pose.ops.numba_kernels.passes import NumbaPasses as passes
    else:
        passes = TorchPasses
    assert inspect.signature(getattr(passes, name)) == inspect.signature(vars(Passes)[name])


@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("channels_last", [False, True], ids=["nchw", "nhwc"])
def test_compiled_layer_matches_the_reference(variant, channels_last):
    for shape in [(2, 12, 9, 7), (3, 5, 4, 11)]:  # the second reuses the kernels of the first
        leaves, constants = make_layer(shape, variant)
        if channels_last:
            leaves[0] = leaves[0].detach().to(memory_format=torch.channels_last)
        actual = run(call_layer(dyrelu, constants, backend="compile"), leaves)
        assert actual[0].stride() == leaves[0].stride()
        double = [leaf.detach().double() for leaf in leaves]
        expected = run(call_layer(dyrelu, constants, backend="reference"), double)
        assert_close(actual, expected, torch.float32, factor=10)


@pytest.mark.parametrize("value", [0.0, 1.0, 1e30, -1e30, 1e-40])
@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("fast", ["compile", NUMBA])
def test_constant_zero_huge_and_subnormal_inputs(fast, variant, value):
    leaves, constants = make_layer((2, 12, 9, 7), variant)
    leaves[0] = torch.full_like(leaves[0], value)
    ours, theirs = (
        run(call_layer(dyrelu, constants, backend=backend), leaves)[:2]
        for backend in (fast, "reference")
    )
    assert all(tensor.isfinite().all() for tensor in ours)  # output and gradient of the input
    assert_close(ours, theirs, torch.float32, factor=10)


@pytest.mark.parametrize("k", [1, 3])
def test_compiled_op_matches_the_reference(k):
    tensors = make((2, 5, 6, 7), k, torch.float64)
    ours = run(lambda *t: dyrelu_given(*t, backend="compile"), tensors)
    assert_close(
        ours, run(lambda *t: dyrelu_given(*t, backend="reference"), tensors), torch.float64
    )


def test_compiled_kernels_serve_all_sizes():
    x = [make((n, c, h, 6)) for n, c, h in [(2, 3, 4), (3, 3, 4), (2, 7, 4), (2, 3, 9), (5, 6, 8)]]
    dyrelu_given(*x[0], backend="compile").sum().backward()
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    for tensors in x[1:]:
        dyrelu_given(*tensors, backend="compile").sum().backward()
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == before > 0


def test_without_a_compiler_warns_once_and_is_eager(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no compiler\nlong explanation")

    compiled._compiler_works.cache_clear()
    monkeypatch.setattr(torch, "compile", fail)
    x = torch.zeros(1, 1)
    try:
        with pytest.warns(UserWarning, match=r"falls back to 'eager'.*cpu \(no compiler\)"):
            assert passes_of("compile", x) is EAGER
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert passes_of("compile", x) is EAGER
    finally:
        compiled._compiler_works.cache_clear()


@pytest.mark.parametrize("call", [DyReLUB, lambda **o: dyrelu_given(*make((1, 2, 3)), **o)])
def test_refuses_an_unknown_backend(call):
    with pytest.raises(ValueError, match="unknown dyrelu backend 'cuda': choose one of auto, ref"):
        call(backend="cuda")


def test_layer_computes_with_its_backend():
    x = torch.randn(2, 8, 5, 3, dtype=torch.float64, requires_grad=True)
    layer = DyReLUB(8, backend="reference").double()
    y = layer(x).square().sum()
    torch.autograd.grad(y, x, create_graph=True)  # the reference alone has a second derivative
