"""Each pass against the same pass in PyTorch operations, and what it does at ties and at NaN."""

import math

import pytest
import torch

from dyrelu_pose.ops import Hyper, Ranges
from dyrelu_pose.ops.eager import EAGER
from dyrelu_pose.ops.passes import WeightedSum
from tests.ops.cases import assert_close

from .conftest import DEVICE

triton = pytest.importorskip("triton", reason="the Triton backend needs the package triton")
import triton.language as tl  # noqa: E402

from dyrelu_pose.ops.triton_kernels import tiles  # noqa: E402
from dyrelu_pose.ops.triton_kernels.passes import TRITON  # noqa: E402

LAST = torch.channels_last
MAPS = {
    "nchw": lambda: torch.randn(2, 7, 25, 23),
    "nhwc": lambda: torch.randn(2, 7, 25, 23).to(memory_format=LAST),
    "many-planes": lambda: torch.randn(9, 4, 3, 2),
    "matrix": lambda: torch.randn(3, 37),
    "sequence": lambda: torch.randn(2, 5, 41),
    "sequence-last": lambda: torch.randn(2, 41, 5).mT,
    "one-position": lambda: torch.randn(3, 5, 1, 1),
    "one-channel": lambda: torch.randn(3, 1, 5, 4).to(memory_format=LAST),
    "one-row": lambda: torch.randn(2, 4, 1, 9).to(memory_format=LAST),
    "bfloat16": lambda: torch.randn(2, 6, 7, 5).bfloat16(),
    "float16": lambda: torch.randn(2, 6, 7, 5).half().to(memory_format=LAST),
    "float64": lambda: torch.randn(2, 6, 5, 7).double(),
    "some-channels": lambda: torch.randn(2, 12, 5, 7).to(memory_format=LAST)[:, 1::2],
    "some-columns": lambda: torch.randn(2, 3, 6, 7)[:, :, :, 1:4],
    "transposed": lambda: torch.randn(2, 3, 6, 7).transpose(2, 3),
    "flat": lambda: torch.randn(2, 3, 1, 1).expand(2, 3, 4, 5),
    "equal-channels": lambda: torch.randn(2, 1, 4, 5).expand(2, 3, 4, 5),
    "no-samples": lambda: torch.randn(0, 3, 4, 5),
}
CASES = [(name, "default") for name in MAPS]
CASES += [(name, blocks) for name in ("nchw", "nhwc") for blocks in ("loops", "splits")]
on_maps = pytest.mark.parametrize(("name", "blocks"), CASES, indirect=["blocks"])


def random(x, *shape):
    """Return random numbers in the precision that passes of x compute with."""
    return torch.randn(shape, dtype=torch.promote_types(x.dtype, torch.float32))


def sizes(x):
    """Return N, C and P."""
    return x.shape[0], x.shape[1], math.prod(x.shape[2:])


def check(method, *args, factor=2):
    """Compare a pass by Triton with the same pass by PyTorch in float64."""
    ours = flat(getattr(TRITON, method)(*each(args, lambda tensor: tensor.to(DEVICE))))
    theirs = flat(getattr(EAGER, method)(*each(args, torch.Tensor.double)))
    assert [got.shape for got in ours] == [want.shape for want in theirs]
    for got, want in zip(ours, theirs, strict=True):
        if got.numel():
            assert_close([got.cpu()], [want], got.dtype, factor)
    return ours


def each(value, function):
    """Return `value` with a function applied to every tensor in it."""
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, Ranges) or not isinstance(value, tuple):
        return value
    parts = [each(part, function) for part in value]
    return type(value)(*parts) if isinstance(value, Hyper | WeightedSum) else tuple(parts)


def flat(results):
    """Return the tensors in what a pass returns."""
    if not isinstance(results, tuple):
        return [] if results is None else [results]
    return [tensor for result in results for tensor in flat(result)]


@on_maps
@pytest.mark.parametrize("mapped", [False, True], ids=["mean", "map"])
def test_pool(name, mapped, blocks):
    x = MAPS[name]()
    check("pool", x, random(x, x.shape[1]) if mapped else None)


@on_maps
def test_plane_sums(name, blocks):
    x = MAPS[name]()
    n, _, p = sizes(x)
    check("plane_sums", x, random(x, n, p), factor=5)


@on_maps
def test_moments(name, blocks):
    check("moments", MAPS[name]())


def test_moments_of_a_large_mean_and_of_an_outlier():
    x = torch.randn(1, 2, 2000)
    x[0, 0] += 1e3
    x[0, 1, 0] = 1e4
    mean, variance = (moment.cpu().double() for moment in TRITON.moments(x.to(DEVICE)))
    torch.testing.assert_close(mean, x.double().mean(2), rtol=1e-6, atol=0)
    torch.testing.assert_close(variance, x.double().var(2, correction=0), rtol=1e-4, atol=0)


@on_maps
@pytest.mark.parametrize("mapped", [False, True], ids=["plain", "map"])
def test_apply(name, mapped, blocks):
    x = MAPS[name]()
    n, c, p = sizes(x)
    (y,) = check("apply", x, random(x, n, c, 4), random(x, n, p) if mapped else None)
    assert y.dtype == x.dtype
    if x.is_contiguous() or (x.dim() == 4 and x.is_contiguous(memory_format=LAST)):
        assert y.stride() == x.stride()


@on_maps
@pytest.mark.parametrize("mapped", [False, True], ids=["plain", "map"])
def test_reduce(name, mapped, blocks):
    x = MAPS[name]()
    n, c, p = sizes(x)
    pi = random(x, n, p) if mapped else None
    check("reduce", x, random(x, n, c, 4), pi, torch.randn_like(x), factor=5)


@on_maps
def test_grad_input(name, blocks):
    x = MAPS[name]()
    n, c, p = sizes(x)
    pi, grad, grad_mean, slope = random(x, n, p), torch.randn_like(x), random(x, n, c), random(x, c)
    outer = random(x, n, p), random(x, c)
    check("grad_input", x, random(x, n, c, 4), pi, grad, grad_mean, slope, outer, factor=5)


@on_maps
@pytest.mark.parametrize("mapped", [False, True], ids=["plain", "map"])
def test_passes_over_a_sum(name, mapped, blocks):
    x = MAPS[name]()
    n, c, p = sizes(x)
    w = WeightedSum(x, random(x, c), torch.randn_like(x), random(x, c))
    coef, grad = random(x, n, c, 4), torch.randn_like(x)
    back, back_r = ((random(x, c), random(x, c)) for _ in range(2))
    pi, outer = (random(x, n, p), (random(x, n, p), random(x, c))) if mapped else (None, None)
    check("apply_sum", w, coef, pi)
    check("reduce_sum", w, coef, pi, grad, factor=5)
    check("grad_sum", w, coef, pi, grad, random(x, n, c), back, back_r, outer, factor=5)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_number_of_branches_of_a_sum(k):
    x, r, grad = torch.randn(3, 2, 6, 5, 7)
    w, coef = WeightedSum(x, torch.randn(6), r, None), torch.randn(2, 6, 2 * k)
    check("apply_sum", w, coef, None)
    check("reduce_sum", w, coef, None, grad, factor=5)
    check("grad_sum", w, coef, None, grad, torch.randn(2, 6), None, None, None)


@pytest.mark.parametrize("part", ["pi", "grad_mean", "slope", "outer", "none"])
def test_grad_input_of_one_part(part):
    x, grad = torch.randn(2, 2, 6, 5, 7)
    parts = dict(pi=torch.rand(2, 35), grad_mean=torch.randn(2, 6), slope=torch.randn(6))
    parts["outer"] = torch.randn(2, 35), torch.randn(6)
    pi, *rest = (value if name == part else None for name, value in parts.items())
    check("grad_input", x, torch.randn(2, 6, 4), pi, grad, *rest, factor=5)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shared", [False, True], ids=["per-channel", "shared"])
def test_number_of_branches(k, shared):
    x, grad = torch.randn(2, 2, 6, 5, 7)
    coef = torch.randn(2, 1 if shared else 6, 2 * k)
    check("apply", x, coef, None)
    check("reduce", x, coef, None, grad, factor=5)
    check("grad_input", x, coef, None, grad)


ORDERS = {
    "nchw": lambda grad: grad,
    "nhwc": lambda grad: grad.to(memory_format=LAST),
    "of-a-sum": lambda grad: grad[:1, :1, :1, :1].expand(grad.shape),
    "of-a-mean": lambda grad: grad[:, :, :1, :1].expand(grad.shape),
    "transposed": lambda grad: grad.mT.contiguous().mT,
    "sliced": lambda grad: torch.cat([grad, grad], 1)[:, ::2],
}


@pytest.mark.parametrize("name", ["nchw", "nhwc"])
@pytest.mark.parametrize("order", ORDERS)
def test_grad_of_another_order(name, order):
    x = MAPS[name]()
    grad = ORDERS[order](torch.randn(x.shape))
    coef = random(x, 2, 7, 4)
    check("reduce", x, coef, None, grad, factor=5)
    (grad_x,) = check("grad_input", x, coef, None, grad)
    assert grad_x.stride() == x.stride()


@pytest.mark.parametrize("blocks", ["default", "loops"], indirect=True)
@pytest.mark.parametrize(
    ("samples", "hidden", "sets", "k", "rest"),
    [
        (0, 5, 9, 2, 0.0), (1, 1, 1, 1, 0.0), (1, 20, 11, 2, 0.0), (21, 3, 1, 4, 1.0),
        (21, 20, 5, 2, 0.0), (5, 5, 9, 3, 0.0), (5, 5, 9, 2, 1.0),
    ],
)  # fmt: skip
def test_hyper_function(samples, hidden, sets, k, rest, blocks):
    hyper, ranges, s = make_hyper(samples, hidden, sets, k)
    ranges = ranges._replace(rest=rest)
    check("hyper_forward", s, hyper, ranges)
    hidden, delta, _ = EAGER.hyper_forward(s, hyper, ranges)
    grad_coef = torch.randn(samples, sets, 2 * k)
    check("hyper_backward", grad_coef, s, hidden, delta, hyper, ranges, factor=5)


def make_hyper(samples, hidden, sets, k, channels=11):
    """Return a hyper function's weights and ranges, and its input."""
    shapes = [(hidden, channels), (hidden,), (2 * k * sets, hidden), (2 * k * sets,)]
    return Hyper(*map(torch.randn, shapes)), Ranges(k, 0.9, 0.6), torch.randn(samples, channels)


def test_large_hyper_function_takes_matrix_products(monkeypatch):
    monkeypatch.setattr("dyrelu_pose.ops.triton_kernels.hyper.MOST", 1)
    hyper, ranges, s = make_hyper(3, 4, 11, 2)
    hidden, delta, _ = check("hyper_forward", s, hyper, ranges)
    grad_coef = torch.randn(3, 11, 4)
    check("hyper_backward", grad_coef, s, hidden.cpu(), delta.cpu(), hyper, ranges)


def test_zero_hyper_function_gives_exactly_relu():
    hyper, ranges, s = make_hyper(3, 4, 11, 2)
    zero = hyper._replace(fc2_weight=hyper[2] * 0, fc2_bias=hyper[3] * 0)
    _, _, coef = TRITON.hyper_forward(s.to(DEVICE), each(zero, lambda t: t.to(DEVICE)), ranges)
    assert torch.equal(coef.cpu(), torch.tensor([1.0, 0, 0, 0]).expand(3, 11, 4))


@pytest.mark.parametrize("k", [2, 3, 4])
def test_last_branch_takes_the_gradient_of_a_tie(k):
    # Branches x, 1, 2x - 1 and 3x - 2 all equal 1 at x = 1.
    x = torch.ones(1, 1, 1, device=DEVICE)
    slopes, intercepts = [1.0, 0.0, 2.0, 3.0][:k], [0.0, 1.0, -1.0, -2.0][:k]
    coef = torch.tensor([[slopes + intercepts]], device=DEVICE)
    assert TRITON.grad_input(x, coef, None, x)[0].item() == slopes[-1]
    grad_coef, _ = TRITON.reduce(x, coef, None, x)
    assert grad_coef.flatten().tolist() == 2 * ([0] * (k - 1) + [1])


@pytest.mark.parametrize(("k", "bad"), [(2, 0), (2, 1), (3, 1), (3, 2), (4, 0), (4, 3)])
def test_nan_of_any_branch_is_kept(k, bad):
    x, coef = torch.ones(1, 1, 3, device=DEVICE), torch.ones(1, 1, 2 * k, device=DEVICE)
    coef[0, 0, bad] = math.nan
    assert TRITON.apply(x, coef, None).isnan().all()


@pytest.mark.parametrize("blocks", ["splits"], indirect=True)
def test_sums_repeat_to_the_bit(blocks):
    x = MAPS["nhwc"]().to(DEVICE)
    coef, pi = torch.randn(2, 7, 4, device=DEVICE), torch.randn(2, 575, device=DEVICE)
    first, second = (flat(TRITON.reduce(x, coef, pi, x)) for _ in range(2))
    assert all(map(torch.equal, first, second))


def write_offsets(out, sample, stride_n, stride_c, stride_p, C: tl.constexpr, P: tl.constexpr):
    c, p = tl.arange(0, C), tl.arange(0, P)
    at = tiles.offsets(sample, c, p, stride_n, stride_c, stride_p)
    tl.store(out + c[:, None] * P + p[None, :], at)


@pytest.mark.parametrize(
    "strides", [(2**40, 2**31, 1), (2**33, 1, 2**30), (2**31 - 1, 2**30, 2**29)], ids=str
)
def test_offsets_pass_the_range_of_32_bits(strides, monkeypatch):
    if DEVICE == "cpu":
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    out = torch.empty(4, 8, dtype=torch.int64, device=DEVICE)
    triton.jit(write_offsets)[(1,)](out, 1, *strides, C=4, P=8)
    c, p = torch.arange(4)[:, None], torch.arange(8)
    assert torch.equal(out.cpu(), strides[0] + c * strides[1] + p * strides[2])
