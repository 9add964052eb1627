"""The loops that Numba compiles, against the reference; and when they are taken."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dyrelu_pose import DyReLUB, DyReLUC
from dyrelu_pose.ops import dyrelu, dyrelu_given
from dyrelu_pose.ops.backends import passes_of
from dyrelu_pose.ops.eager import EAGER

from .cases import assert_close, call_layer, make, make_layer, run

pytest.importorskip("numba", reason="the backend 'numba' needs the package numba")
passes = pytest.importorskip("dyrelu_pose.ops.numba_kernels.passes")

FORMATS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}


@pytest.fixture(params=[1, 3], ids="{} threads".format)
def threads(request, monkeypatch):
    monkeypatch.setattr(passes, "SHARED_OUT", 0)
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("shape", [(4, 12, 9, 7), (2, 3, 17, 11), (3, 5, 1, 1)], ids=str)
def test_layer_matches_the_reference(shape, layout, variant, dtype, threads):
    leaves, constants = make_layer(shape, variant, dtype=dtype)
    leaves[0] = leaves[0].detach().to(memory_format=FORMATS[layout])
    actual = run(call_layer(dyrelu, constants, backend="numba"), leaves)
    assert actual[0].stride() == leaves[0].stride()
    double = [leaf.detach().double() for leaf in leaves]
    expected = run(call_layer(dyrelu, constants, backend="reference"), double)
    assert_close(actual, expected, dtype, factor=10)


@pytest.mark.parametrize("layout", FORMATS)
def test_a_large_map_is_as_precise_as_eager(layout):
    leaves, constants = make_layer((2, 4, 96, 96), "C")
    leaves[0] = (leaves[0] + 3).detach().to(memory_format=FORMATS[layout])
    actual = run(call_layer(dyrelu, constants, backend="numba"), leaves)
    double = [leaf.detach().double() for leaf in leaves]
    expected = run(call_layer(dyrelu, constants, backend="reference"), double)
    assert_close(actual, expected, torch.float32, factor=10)


@pytest.mark.parametrize("layout", FORMATS)
def test_moments_of_a_large_mean_and_of_an_outlier(layout, threads):
    x = torch.randn(3, 2, 50, 40)
    x[:, 0] += 1e3
    x[:, 1, 0, 0] = 1e4
    mean, variance = passes.NUMBA.moments(x.to(memory_format=FORMATS[layout]))
    planes = x.double().flatten(2)
    torch.testing.assert_close(mean.double(), planes.mean(2), rtol=1e-6, atol=0)
    torch.testing.assert_close(variance.double(), planes.var(2, correction=0), rtol=1e-4, atol=0)


@pytest.mark.parametrize("spatial", [False, True])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_op_matches_the_reference(k, spatial):
    tensors = make((3, 5, 6, 7), k, torch.float64, spatial=spatial)
    ours, theirs = (
        run(lambda *t, b=backend: dyrelu_given(*t, backend=b), tensors)
        for backend in ("numba", "reference")
    )
    assert_close(ours, theirs, torch.float64)


@pytest.mark.parametrize("of", ["x", "a", "b"])
def test_not_a_number_stays_one(of):
    x, a, b = (tensor.detach() for tensor in make((2, 3, 4, 4)))
    for k in (0, 1):
        spoilt = dict(x=x.clone(), a=a.clone(), b=b.clone())
        spoilt[of][(0, 0, 0, 0) if of == "x" else (0, 0, k)] = float("nan")
        ours, theirs = (
            dyrelu_given(*spoilt.values(), backend=backend) for backend in ("numba", "eager")
        )
        assert torch.equal(ours.isnan(), theirs.isnan())
        assert ours.isnan().any()


def test_half_precision_is_eager_s():
    leaves, constants = make_layer((2, 4, 5, 3), "C", dtype=torch.bfloat16)
    ours, theirs = (
        run(call_layer(dyrelu, constants, backend=backend), leaves)
        for backend in ("numba", "eager")
    )
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_auto_takes_it_where_each_thread_has_a_sample():
    threads = torch.get_num_threads()
    assert passes_of("auto", torch.zeros(threads, 1)) is passes.NUMBA
    torch.set_num_threads(threads + 1)
    try:
        assert passes_of("auto", torch.zeros(threads, 1)) is EAGER
        assert passes_of("numba", torch.zeros(threads, 1)) is passes.NUMBA
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("layer", [DyReLUB, DyReLUC])
def test_what_records_operations_sees_them(layer):
    layer = layer(4, init="default").eval().requires_grad_(False)
    x, other = torch.randn(2, 2, 4, 5, 3)
    with FlopCounterMode(display=False) as counter:
        layer(x)
    assert counter.get_total_flops() > 0
    traced = torch.jit.trace(layer, x)
    torch.testing.assert_close(traced(other), layer(other))


def test_refuses_other_devices():
    with pytest.raises(RuntimeError, match="'numba' needs a map on the CPU, got one on meta"):
        passes_of("numba", torch.zeros(1, 1, device="meta"))


def test_absent_is_said(monkeypatch):
    monkeypatch.setattr("dyrelu_pose.ops.backends.HAS_NUMBA", False)
    with pytest.raises(RuntimeError, match="pip install numba"):
        passes_of("numba", torch.zeros(1, 1))
    assert passes_of("auto", torch.zeros(64, 1)) is EAGER
