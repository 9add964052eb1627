"""Sites by plans: against the passes and the reference, and started again without looking."""

import ctypes
import gc
import weakref
from functools import partial
from inspect import signature

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from dyrelu_pose import DyReLUA, DyReLUB
from dyrelu_pose.ops import Hyper, dyrelu
from dyrelu_pose.ops.folded_norm import normalized_dyrelu
from dyrelu_pose.ops.norm import Norm, Running
from tests.ops.cases import assert_close, call_layer, make_layer, run

from .conftest import DEVICE

pytest.importorskip("triton", reason="the Triton backend needs the package triton")
from dyrelu_pose.ops import backends
from dyrelu_pose.ops.triton_kernels import launch, sites
from dyrelu_pose.ops.triton_kernels.launch import Launch
from dyrelu_pose.ops.triton_kernels.plan import Plans, Room

FORMATS = [torch.contiguous_format, torch.channels_last]
on_formats = pytest.mark.parametrize("memory_format", FORMATS, ids=["nchw", "nhwc"])
KINDS = ["B", "C", "normalized", "normalized-eval"]
BITS = {torch.bfloat16: torch.int16, torch.float16: torch.int16}


def make_site(kind, shape=(2, 5, 4, 3), dtype=torch.float64, memory_format=FORMATS[0], k=2):
    """Return the leaves of a site, and a function of them by some backend."""
    leaves, constants = make_layer(shape, kind if kind == "C" else "B", k, 2, dtype)
    leaves[0] = leaves[0].detach().to(memory_format=memory_format)
    if kind in "BC":
        return leaves, lambda backend: call_layer(dyrelu, constants, backend=backend)
    channels = shape[1]
    leaves += [torch.rand(channels, dtype=dtype) + 0.5, torch.rand(channels, dtype=dtype)]
    fixed = [torch.rand(channels, dtype=dtype) + 0.5 for _ in range(2)]

    def function(backend):
        def normalized(x, w1, b1, w2, b2, weight, bias):
            statistics = [t.to(x.device) if kind == "normalized-eval" else None for t in fixed]
            norm = Norm(weight, bias, *statistics, 1e-5)
            hyper, (ranges, _) = Hyper(w1, b1, w2, b2), constants
            return normalized_dyrelu(x, norm, hyper, ranges, backend=backend)[0]

        return normalized

    return leaves, function


def run_site(leaves, function):
    """Return output and gradients, computed on the device."""
    return run(lambda *tensors: function(*(t.to(DEVICE) for t in tensors)).cpu(), leaves)


def planned(function):
    """Return a function that fails unless a plan computes the site."""

    def checked(*leaves):
        before = len(sites.PLANS)
        y = function(*leaves)
        assert len(sites.PLANS) == before + 1
        assert next(reversed(sites.PLANS.values())) is not None
        return y

    return checked


@pytest.fixture(autouse=True)
def no_plans(monkeypatch):
    monkeypatch.setattr(sites, "PLANS", Plans())


@on_formats
@pytest.mark.parametrize(
    ("blocks", "shape"),
    [("default", (3, 6, 5, 7)), ("loops", (2, 5, 5, 7)), ("splits", (1, 5, 17, 17))],
    indirect=["blocks"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_site_matches_the_reference(kind, memory_format, blocks, shape):
    leaves, function = make_site(kind, shape, memory_format=memory_format)
    ours = run_site(leaves, planned(function("triton")))
    assert ours[0].stride() == ours[1].stride() == leaves[0].stride()
    assert_close(ours, run_site(leaves, function("reference")), torch.float64, factor=100)


@pytest.mark.parametrize("k", [1, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_number_of_branches(kind, k):
    leaves, function = make_site(kind, k=k)
    ours = run_site(leaves, planned(function("triton")))
    assert_close(ours, run_site(leaves, function("reference")), torch.float64, factor=100)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision(kind, dtype):
    leaves, function = make_site(kind, dtype=torch.float32)
    leaves[0] = leaves[0].detach().to(dtype)
    ours = run_site(leaves, planned(function("triton")))
    doubles = [leaf.detach().double() for leaf in leaves]
    assert ours[0].dtype == ours[1].dtype == dtype
    # Triton's interpreter truncates to bfloat16 where a GPU rounds: twice the error.
    assert_close(ours, run_site(doubles, function("reference")), dtype, factor=10)


GRADS = {
    "nchw": lambda grad: grad.contiguous(),
    "nhwc": lambda grad: grad.to(memory_format=torch.channels_last),
    "of-a-sum": lambda grad: grad[:1, :1, :1, :1].expand(grad.shape),
    "of-a-mean": lambda grad: grad[:, :, :1, :1].expand(grad.shape),
    "sliced": lambda grad: torch.cat([grad, grad], 1)[:, ::2],
}


@on_formats
@pytest.mark.parametrize("grad", GRADS)
@pytest.mark.parametrize("kind", ["B", "normalized"])
def test_grad_of_another_order(kind, grad, memory_format):
    leaves, function = make_site(kind, memory_format=memory_format)
    leaves = [leaf.detach().to(DEVICE).requires_grad_() for leaf in leaves]
    outputs = [function(backend)(*leaves) for backend in ("triton", "reference")]
    grad = GRADS[grad](torch.randn(2, 5, 4, 3, dtype=torch.float64, device=DEVICE))
    for _ in range(2):  # a plan that is made, and one that is there
        ours, theirs = (torch.autograd.grad(y, leaves, grad, retain_graph=True) for y in outputs)
        assert_close(ours, theirs, torch.float64, factor=100)


@pytest.mark.parametrize("kind", KINDS)
def test_input_and_parameters_without_gradient(kind):
    leaves, function = make_site(kind)
    expected = run_site(leaves, function("reference"))
    for frozen in (0, slice(1, None)):
        tensors = [leaf.detach().to(DEVICE).requires_grad_() for leaf in leaves]
        for leaf in tensors[frozen] if isinstance(frozen, slice) else [tensors[frozen]]:
            leaf.requires_grad_(False)
        y = function("triton")(*tensors)
        grad = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
        y.backward(grad.to(y))
        for leaf, want in zip(tensors, expected[1:], strict=True):
            if leaf.requires_grad:
                assert_close([leaf.grad.cpu()], [want], torch.float64, factor=100)


# The two ways are one function


def of_the_dispatcher(monkeypatch):
    monkeypatch.setattr(backends, "_triton_sites", lambda: (None, True))


@on_formats
@pytest.mark.parametrize("kind", KINDS)
def test_plans_and_operators_are_one_function(kind, memory_format, monkeypatch):
    leaves, function = make_site(kind, (2, 5, 4, 3), torch.float32, memory_format)
    ours = run_site(leaves, planned(function("triton")))
    of_the_dispatcher(monkeypatch)
    theirs = run_site(leaves, function("triton"))
    if kind == "B":
        assert all(map(torch.equal, ours, theirs))
    assert_close(ours, theirs, torch.float32, factor=5)


@pytest.mark.parametrize("kind", KINDS)
def test_sites_are_traced_as_operators(kind, monkeypatch):
    leaves, function = make_site(kind, dtype=torch.float32)
    leaves = [leaf.detach().to(DEVICE) for leaf in leaves]
    of_site = function("triton")
    monkeypatch.setattr(backends, "_triton_sites", None)  # no plan is asked for
    torch.compiler.reset()
    y = torch.compile(of_site, backend="aot_eager", fullgraph=True)(*leaves)
    graph = make_fx(lambda *tensors: of_site(*tensors))(*leaves).code
    assert "torch.ops.dyrelu_pose.apply" in graph
    monkeypatch.undo()
    assert_close([y], [planned(of_site)(*leaves)], torch.float32, factor=5)


CANNOT = {
    "A": lambda x, w: (x, [w[0], w[1], w[2][:4], w[3][:4]]),
    "gaps": lambda x, w: (torch.cat([x, x], 1)[:, ::2], w),
    "empty": lambda x, w: (x[:0], w),
    "half-parameters": lambda x, w: (x, [t.half() for t in w]),
    "strided-parameters": lambda x, w: (x, [w[0].mT.contiguous().mT, *w[1:]]),
}


@pytest.mark.parametrize("name", CANNOT)
def test_what_no_plan_computes_is_left_to_the_passes(name):
    leaves, constants = make_layer((3, 6, 5, 4))
    x, *weights = (leaf.detach() for leaf in leaves)
    x, weights = CANNOT[name](x, weights)
    assert sites.SITES.dyrelu(x, Hyper(*weights), *constants[:1], None, None, False) is None
    ours, theirs = (
        call_layer(dyrelu, constants, backend=name)(x.to(DEVICE), *(w.to(DEVICE) for w in weights))
        for name in ("triton", "reference")
    )
    if x.numel():
        assert_close([ours.cpu()], [theirs.cpu()], torch.float32, factor=10)


# Running statistics


def test_running_statistics_are_updated_by_the_kernel(monkeypatch):
    leaves, _ = make_site("normalized", (3, 5, 4, 7), torch.float32)
    x, *weights, weight, bias = (leaf.detach().to(DEVICE) for leaf in leaves)
    found = []
    for way in ("plan", "passes"):
        if way == "passes":
            of_the_dispatcher(monkeypatch)
        mean, variance = torch.rand(2, 5, generator=torch.Generator().manual_seed(3)).to(DEVICE)
        running = Running(mean, variance, torch.tensor(7, device=DEVICE), 0.3)
        norm = Norm(weight, bias, None, None, 1e-5)
        y, *none = normalized_dyrelu(
            x, norm, Hyper(*weights), RANGES, backend="triton", running=running
        )
        assert none == [None, None]
        found.append([y, mean, variance])
        assert running.batches.item() == 8
    assert_close(*([t.cpu() for t in each] for each in found), torch.float32, factor=5)


def test_backward_keeps_the_running_mean_of_its_forward_pass():
    leaves, _ = make_site("normalized", (3, 5, 4, 7))
    tensors = [leaf.detach().to(DEVICE).requires_grad_() for leaf in leaves]
    x, *weights, weight, bias = tensors

    def gradients(change):
        mean, variance = torch.full((2, 5), 0.5, dtype=torch.float64, device=DEVICE)
        norm = Norm(weight, bias, mean, variance, 1e-5)
        y = normalized_dyrelu(x, norm, Hyper(*weights), RANGES, backend="triton")[0]
        mean += change
        return torch.autograd.grad(y.square().sum(), tensors)

    assert all(map(torch.equal, gradients(0.0), gradients(1.0)))


RANGES = make_layer((1, 1))[1][0]


# Started again


class Again:
    """In the place of a compiled kernel: the interpreter, given addresses."""

    def __init__(self, of):
        self.of, self.dtypes = of, of.dtypes

    def __getitem__(self, grid):
        assert grid == self.of.grid
        return partial(self.start, self.of)

    def start(self, of, *arguments):
        names = list(signature(of.kernel.fn).parameters)
        assert len(arguments) == len(names)
        given = dict(zip(names, arguments, strict=True))
        assert all(given[name] == value for name, value in of.constants.items())
        pointers = [
            tensor_at(at, dtype) if at else None
            for at, dtype in zip(arguments, self.dtypes, strict=False)
        ]
        numbers = arguments[len(pointers) : len(pointers) + len(of.numbers)]
        of.kernel[of.grid](*pointers, *numbers, num_warps=of.warps, **of.constants)
        STARTED.append(of.kernel)


STARTED = []


def tensor_at(address, dtype, elements=4):
    """Return a view of memory from an address on; kernels know themselves how much there is."""
    memory = (ctypes.c_char * (elements * dtype.itemsize)).from_address(address)
    return torch.frombuffer(memory, dtype=BITS.get(dtype, dtype)).view(dtype)


@pytest.fixture
def again(monkeypatch):
    """Let launches start again on a CPU, and note what starts."""
    if DEVICE == "cuda":
        pytest.skip("a GPU starts compiled kernels in all the other tests")
    original = Launch.__call__

    def call(self, *pointers):
        original(self, *pointers)
        self.dtypes = [None if t is None else t.dtype for t in pointers]
        self.compiled = Again(self)

    class Open(Launch):
        __slots__ = ("dtypes",)
        __call__ = call

    for module in (
        "apply",
        "grad_input",
        "hyper",
        "hyper_backward",
        "norm",
        "pool",
        "reduce",
        "sums",
    ):
        monkeypatch.setattr(f"dyrelu_pose.ops.triton_kernels.{module}.Launch", Open)
    monkeypatch.setattr(launch, "DIRECT", True)
    monkeypatch.setattr(launch, "CompiledKernel", Again)
    STARTED.clear()


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_starts_its_kernels_again(kind, again):
    leaves, function = make_site(kind, memory_format=torch.channels_last)
    first = run_site(leaves, function("triton"))
    assert STARTED == []
    second = run_site(leaves, function("triton"))
    assert len(STARTED) >= 6
    assert all(map(torch.equal, first, second))
    other = [torch.randn_like(leaf) for leaf in leaves]
    third = run_site(other, function("triton"))
    assert_close(third, run_site(other, function("reference")), torch.float64, factor=100)


def test_a_plan_starts_nothing_again_for_unaligned_parameters(again):
    leaves, function = make_site("B", (3, 6, 5, 4), torch.float32)
    x, *weights = (leaf.detach() for leaf in leaves)
    shifted = [torch.cat([w.new_zeros(1), w.flatten()])[1:].view(w.shape) for w in weights]
    assert all(w.data_ptr() % 16 for w in shifted)
    outputs = [function("triton")(x, *each) for each in (shifted, weights, weights, shifted)]
    assert len(STARTED) == 3  # the third call
    assert all(torch.equal(y, outputs[0]) for y in outputs)


def test_another_version_starts_nothing_again(again, monkeypatch):
    monkeypatch.setattr(launch, "DIRECT", False)
    leaves, function = make_site("B", (3, 6, 5, 4), torch.float32)
    for _ in range(2):
        run_site(leaves, function("triton"))
    assert STARTED == []


# What is kept


def test_plans_hold_no_map_and_are_bounded(monkeypatch):
    monkeypatch.setattr("dyrelu_pose.ops.triton_kernels.plan.MOST", 2)
    layer = DyReLUB(4, backend="triton").to(DEVICE)
    held = []
    for side in range(1, 5):
        x = torch.randn(1, 4, side, side, device=DEVICE)
        layer(x).sum().backward()
        held.append(weakref.ref(x))
        del x
    gc.collect()
    assert [reference() for reference in held] == [None] * 4
    assert len(sites.PLANS) == 2
    for _ in range(3):
        layer(torch.randn(1, 4, 3, 3, device=DEVICE))
    assert len(sites.PLANS) == 2


def test_parts_of_a_room_are_lines_apart():
    room = Room(torch.float32, 5, 0, 33)
    assert room.starts == [0, 32, 32]
    memory = room.allocate(torch.ones(1))
    assert [v.data_ptr() for v in room.views(memory)][:2] == room.addresses(memory)[:2]


def test_layers_share_a_plan_and_a_layer_of_kind_a_has_none():
    x = torch.randn(2, 6, 3, 4, device=DEVICE)
    for _ in range(2):
        DyReLUB(6, backend="triton").to(DEVICE)(x)
    assert len(sites.PLANS) == 1
    DyReLUA(6, backend="triton").to(DEVICE)(x)
    assert list(sites.PLANS.values())[1:] == [None]
