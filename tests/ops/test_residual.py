"""The folded residual sum: against BatchNorm2d, addition and DyReLU one after the other."""

import copy
import functools

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from dyrelu_pose import DyReLUA, DyReLUB, DyReLUC
from dyrelu_pose.complexity.activations import kept_bytes
from dyrelu_pose.layers.residual import ResidualSum
from dyrelu_pose.ops.norm import Norm
from dyrelu_pose.ops.residual import Term, residual_dyrelu

from .cases import NUMBA, TOLERANCE, assert_close, call_layer, make_layer

LAST = torch.channels_last
FORMATS = {"nchw": torch.contiguous_format, "nhwc": LAST}


class Residual(nn.Module):
    """A normalized map and a shortcut, normalized too if `both`, added in place."""

    def __init__(self, variant, channels, both, layer, norm):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, **norm)
        self.act = variant(channels, **{"reduction": 2, **layer})
        self.downsample = nn.BatchNorm2d(channels, **norm) if both else None

    def forward(self, x, r):
        out = self.norm(x)
        out += r if self.downsample is None else self.downsample(r)
        return self.act(out)

    def fold(self):
        names = ["norm"] if self.downsample is None else ["norm", "downsample"]
        self.act.fold_sum(*((self, name) for name in names))
        return self


def pair(variant=DyReLUB, channels=6, dtype=torch.float64, both=False, norm=None, **layer):
    """Return a `Residual`, unfolded and folded, with the same state."""
    torch.manual_seed(0)
    theirs = Residual(variant, channels, both, layer, norm or {}).to(dtype)
    buffers = (buffer for buffer in theirs.buffers() if buffer.is_floating_point())
    for tensor in (*theirs.parameters(), *buffers):
        nn.init.uniform_(tensor, 0.3, 1.5)
    return theirs, copy.deepcopy(theirs).fold()


def results(model, x, r, grad):
    """Return output, gradients and floating-point buffers of one pass."""
    x, r = x.detach().requires_grad_(), r.detach().requires_grad_()
    y = model(x, r)
    grads = torch.autograd.grad(y, [x, r, *model.parameters()], grad)
    return [y.detach(), *grads, *(b for b in model.buffers() if b.is_floating_point())]


def make_maps(*shape, dtype=torch.float64):
    """Return x, r and a gradient."""
    return torch.randn(3, *shape, dtype=dtype) * 2 + 1


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("both", [False, True], ids=["plain", "both-normed"])
@pytest.mark.parametrize("variant", [DyReLUA, DyReLUB, DyReLUC])
@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("backend", ["eager", "reference", NUMBA])
@pytest.mark.parametrize("shape", [(3, 6, 5, 4), (40, 6, 32, 24), (2, 6, 1, 1)], ids=str)
def test_matches_norm_addition_and_layer(shape, backend, layout, variant, both, training):
    theirs, ours = (model.train(training) for model in pair(variant, backend=backend, both=both))
    x, r, grad = (map_.to(memory_format=FORMATS[layout]) for map_ in make_maps(*shape))
    assert_close(results(ours, x, r, grad), results(theirs, x, r, grad), torch.float64, factor=100)


@pytest.mark.parametrize(("layout", "both"), [("nchw", False), ("nhwc", True)])
def test_matches_when_compiled(layout, both):
    theirs, ours = pair(backend="compile", both=both)
    x, r, grad = (map_.to(memory_format=FORMATS[layout]) for map_ in make_maps(3, 6, 5, 4))
    assert_close(results(ours, x, r, grad), results(theirs, x, r, grad), torch.float64, factor=100)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("both", [False, True], ids=["plain", "both-normed"])
def test_other_numbers_of_branches(both, k):
    theirs, ours = pair(both=both, k=k)
    x, r, grad = make_maps(4, 6, 5, 3)
    assert_close(results(ours, x, r, grad), results(theirs, x, r, grad), torch.float64, factor=100)


@pytest.mark.parametrize(
    "options",
    [
        dict(affine=False),
        dict(track_running_stats=False),
        dict(momentum=None),
        dict(momentum=0.3, eps=0.1),
    ],
    ids=str,
)
def test_options_of_the_norms(options):
    theirs, ours = pair(both=True, norm=options)
    for training in (True, True, False):
        theirs.train(training), ours.train(training)
        x, r, grad = make_maps(4, 6, 5, 3)
        expected = results(theirs, x, r, grad)
        assert_close(results(ours, x, r, grad), expected, torch.float64, factor=100)


def test_one_norm_of_the_batch_and_one_of_running_statistics():
    theirs, ours = pair(both=True)
    theirs.downsample.eval(), ours.downsample.eval()
    x, r, grad = make_maps(4, 6, 5, 3)
    assert_close(results(ours, x, r, grad), results(theirs, x, r, grad), torch.float64, factor=100)


@pytest.mark.parametrize("backend", ["eager", NUMBA])
@pytest.mark.parametrize("both", [False, True], ids=["plain", "both-normed"])
def test_float32_and_orders_of_memory(both, backend):
    theirs, ours = pair(channels=33, dtype=torch.float32, both=both, backend=backend)
    x, r, grad = make_maps(40, 33, 13, 9, dtype=torch.float32)
    x = x.to(memory_format=LAST)  # r and grad are not
    actual = results(ours, x, r, grad)
    assert actual[0].stride() == actual[1].stride() == x.stride()
    expected = results(theirs.double(), x.double(), r.double(), grad.double())
    assert_close(actual, expected, torch.float32, factor=20)


def test_half_precision():
    theirs, _ = pair(dtype=torch.float32, both=True)
    theirs.act.reset_parameters()
    nn.init.uniform_(theirs.act.fc2.weight, -0.3, 0.3)  # not saturated
    ours = copy.deepcopy(theirs).fold()
    x, r, grad = make_maps(40, 6, 32, 24, dtype=torch.bfloat16)
    leaves = [x.clone().requires_grad_(), r.clone().requires_grad_()]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = ours(*leaves)
    actual = [y.detach(), *torch.autograd.grad(y, [*leaves, *ours.parameters()], grad)]
    assert [tensor.dtype for tensor in actual[:3]] == [torch.bfloat16] * 3
    expected = results(theirs.double(), x.double(), r.double(), grad.double())
    for got, want in zip(actual, expected, strict=False):
        assert (got - want).abs().max() <= 2 * TOLERANCE[torch.bfloat16] * want.abs().max()


@pytest.mark.parametrize("both", [False, True], ids=["plain", "both-normed"])
@pytest.mark.parametrize("variant", ["B", "C"])
def test_gradcheck(variant, both):
    (x, *weights), constants = make_layer((2, 3, 2, 2), variant, hidden=2, dtype=torch.float64)
    norm_weights = torch.randn(4, 3, dtype=torch.float64)
    r = torch.randn_like(x)

    def run(x, r, weight, bias, weight_r, bias_r, *weights):
        norms = [Norm(w, b, None, None, 1e-5) for w, b in ((weight, bias), (weight_r, bias_r))]
        shortcut = Term(r, norms[1] if both else None)

        def function(x, *arguments):
            return residual_dyrelu(Term(x, norms[0]), shortcut, *arguments)[0]

        return call_layer(function, constants)(x, *weights)

    leaves = [t.detach().requires_grad_() for t in (x, r, *norm_weights, *weights)]
    assert torch.autograd.gradcheck(run, leaves)


def test_has_no_second_derivative():
    _, ours = pair()
    x, r, _ = make_maps(2, 6, 3, 3).requires_grad_()
    with pytest.raises(RuntimeError, match="dyrelu has no second derivative"):
        torch.autograd.grad(ours(x, r).sum(), x, create_graph=True)


@pytest.mark.parametrize("backend", ["eager", NUMBA])
@pytest.mark.parametrize("both", [False, True], ids=["plain", "both-normed"])
def test_keeps_little_more_than_its_two_inputs(both, backend):
    _, ours = pair(dtype=torch.float32, both=both, backend=backend)
    x, r, _ = make_maps(4, 6, 32, 24, dtype=torch.float32).unbind()
    x, r = x.clone().requires_grad_(), r.clone().requires_grad_()
    kept = kept_bytes(lambda: ours(x, r), ours.parameters())
    assert 2 * x.nbytes < kept <= 2.04 * x.nbytes


@pytest.mark.parametrize("backend", ["eager", NUMBA])
def test_the_output_may_be_changed_in_place(backend):
    theirs, ours = pair(backend=backend)
    x, r, grad = make_maps(3, 6, 5, 4)
    x.requires_grad_()
    expected = torch.autograd.grad(2 * theirs(x, r), [x, *theirs.parameters()], grad)
    actual = torch.autograd.grad(ours(x, r).mul_(2), [x, *ours.parameters()], grad)
    assert_close(actual, expected, torch.float64, factor=100)


def test_changes_none_of_its_inputs():
    _, ours = pair()
    x, r, _ = make_maps(3, 6, 5, 4)
    before = x.clone(), r.clone()
    with torch.no_grad():
        ours(x, r)
    assert torch.equal(x, before[0])
    assert torch.equal(r, before[1])


# The ways in which blocks add.
@pytest.mark.parametrize(
    "add",
    [
        lambda u, r: u + r,
        lambda u, r: r + u,
        lambda u, r: u.add(r),
        lambda u, r: u.add_(r),
        torch.add,
        lambda u, r: torch.add(r, u),
    ],
    ids=["u+r", "r+u", "u.add", "u.add_", "torch.add", "torch.add-r-u"],
)
def test_ways_to_add(add):
    theirs, ours = pair()
    sums = []
    for model in (theirs, ours):
        model.forward = lambda x, r, model=model: model.act(
            sums.append(add(model.norm(x), r)) or sums[-1]
        )
    x, r, grad = make_maps(4, 6, 5, 3)
    expected = results(theirs, x, r, grad)
    assert_close(results(ours, x, r, grad), expected, torch.float64, factor=100)
    assert [type(value) for value in sums] == [torch.Tensor, ResidualSum]


@pytest.mark.parametrize(
    "use",
    [
        lambda u, r: u * r,
        lambda u, r: torch.add(u, r, alpha=2),
        lambda u, r: u + r[:, :1],
        lambda u, r: u + r.float(),
        lambda u, r: u + 1 - r,
        lambda u, r: (u + r) + r,
        lambda u, r: torch.cat([u, r])[: len(r)],
        lambda u, r: u.relu() - r if u.shape == r.shape else r,
        lambda u, r: (u / 0.9 * 0.5 - 1) ** 2 + r,
        lambda u, r: 2 - (2 * -u) + r,
        lambda u, r: torch.stack(list(u[:])) + r * len(u),
        lambda u, r: torch.where(u > 0, abs(u), u % 3) + r,
    ],
    ids=[
        "product", "alpha", "broadcast", "dtype", "number", "three", "cat", "method", "numbers",
        "of-numbers", "items", "compared",
    ],
)  # fmt: skip
def test_everything_else_sees_a_tensor(use):
    theirs, ours = pair()
    for model in (theirs, ours):
        model.forward = lambda x, r, model=model: model.act(use(model.norm(x), r))
    x, r, grad = make_maps(4, 6, 5, 3)
    expected = results(theirs, x, r, grad)
    assert_close(results(ours, x, r, grad), expected, torch.float64, factor=100)


@pytest.mark.parametrize(
    "change",
    [
        lambda u, r: u.add_(r),
        lambda u, r: u.add_(r, alpha=2),
        lambda u, r: u.add_(r).add_(r),
        lambda u, r: u.add_(r[:, :1]).add_(r),
        lambda u, r: u.mul_(0.5).add_(r),
        lambda u, r: u.mul_(r),
    ],
    ids=["add_", "alpha", "three", "broadcast", "mul_-add_", "mul_"],
)
def test_what_changes_it_in_place_changes_it(change):
    theirs, ours = pair()

    def run(model, x, r):
        u = model.norm(x)
        change(u, r)
        return model.act(u)

    for model in (theirs, ours):
        model.forward = functools.partial(run, model)
    x, r, grad = make_maps(4, 6, 5, 3)
    expected = results(theirs, x, r, grad)
    assert_close(results(ours, x, r, grad), expected, torch.float64, factor=100)
    assert ours.norm.num_batches_tracked == 1


def test_hooks_that_look_at_the_sum_change_nothing():
    theirs, ours = pair(both=True)
    seen = []

    @torch.no_grad()
    def look(layer, args, output=None):
        slopes, _ = layer.coefficients(args[0])
        seen.extend([slopes.sum().item(), args[0].abs().max().item(), torch.mean(args[0]).item()])

    for model in (theirs, ours):
        model.act.register_forward_pre_hook(look)
        model.act.register_forward_hook(look)
    x, r, grad = make_maps(4, 6, 5, 3)
    expected = results(theirs, x, r, grad)
    assert_close(results(ours, x, r, grad), expected, torch.float64, factor=100)
    assert seen[:6] == pytest.approx(seen[6:])


@pytest.mark.parametrize(
    "block",
    [
        lambda u, r, act: act(u + r.reshape(u.size())),
        lambda u, r, act: act(u + r) if u.dim() == 4 else u,
        lambda u, r, act: act(u + r.to(u.device, u.dtype)),
        lambda u, r, act: act(u + r) if u.isfinite().all() else u,
        lambda u, r, act: act(u + r) + act(u - r),
        lambda u, r, act: act(u + r) + u,
    ],
    ids=["size", "dim", "dtype", "values", "twice", "again"],
)
def test_a_batch_enters_running_statistics_once(block):
    theirs, ours = pair()
    for model in (theirs, ours):
        model.forward = lambda x, r, model=model: block(model.norm(x), r, model.act)
    x, r, grad = make_maps(4, 6, 5, 3)
    expected = results(theirs, x, r, grad)
    assert_close(results(ours, x, r, grad), expected, torch.float64, factor=100)
    assert ours.norm.num_batches_tracked == 1


@pytest.mark.parametrize("name", ["shape", "ndim", "dtype", "device"])
def test_what_a_sum_has_of_its_summands_is_not_computed(name, monkeypatch):
    _, ours = pair()
    u = ours.norm(x := make_maps(4, 6, 5, 3)[0])
    monkeypatch.setattr(ResidualSum, "tensor", None)
    assert getattr(u, name) == getattr(x, name)


def test_another_layer_in_its_place_gets_the_tensor():
    theirs, ours = pair()
    theirs.act, ours.act = nn.ReLU(inplace=True), nn.ReLU(inplace=True)
    x, r, grad = make_maps(4, 6, 5, 3)
    assert_close(results(ours, x, r, grad), results(theirs, x, r, grad), torch.float64)


def test_state_dict_is_that_of_the_unfolded_model():
    theirs, ours = pair(both=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())


def test_a_copy_folds_its_own_norms():
    _, ours = pair()
    copied = copy.deepcopy(ours)
    nn.init.zeros_(copied.norm.weight)
    x, r, _ = make_maps(2, 6, 3, 3)
    assert not torch.allclose(ours.eval()(x, r), copied.eval()(x, r))


def test_norms_put_in_their_place_are_not_computed_twice():
    theirs, ours = (model.eval() for model in pair(both=True))
    x, r, _ = make_maps(2, 6, 3, 3)
    ours.downsample = nn.SyncBatchNorm.convert_sync_batchnorm(ours.downsample)
    torch.testing.assert_close(ours(x, r), theirs(x, r))
    ours = nn.SyncBatchNorm.convert_sync_batchnorm(ours)
    assert type(ours.norm) is nn.SyncBatchNorm
    torch.testing.assert_close(ours(x, r), theirs(x, r))
    ours.norm = nn.Identity()  # as after the fusion of a convolution with its norm
    torch.testing.assert_close(ours(theirs.norm(x), r), theirs(x, r))


def test_unfolded_it_is_what_it_was():
    theirs, ours = pair(both=True)
    ours.act.unfold_norm()
    assert type(ours.norm) is type(ours.downsample) is nn.BatchNorm2d
    maps = make_maps(4, 6, 5, 3)
    for mine, other in zip(results(ours, *maps), results(theirs, *maps), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("both", [False, True], ids=["plain", "both-normed"])
def test_compiles_without_graph_breaks(both):
    _, ours = pair(dtype=torch.float32, both=both)
    maps = make_maps(3, 6, 5, 4, dtype=torch.float32)
    expected = results(copy.deepcopy(ours), *maps)
    actual = results(torch.compile(ours, fullgraph=True, backend="aot_eager"), *maps)
    torch.testing.assert_close(actual, expected)


def test_one_value_per_channel_has_no_variance():
    _, ours = pair()
    with pytest.raises(ValueError, match=r"more than one value per channel.*\(1, 6, 1, 1\)"):
        ours(*make_maps(1, 6, 1, 1)[:2])


class Checkpointed(nn.Module):
    """A `Residual` whose sum is in a checkpoint, as in MMPose's blocks."""

    def __init__(self, model, **options):
        super().__init__()
        self.model, self.options = model, options

    def forward(self, x, r):
        def added(x, r):
            out = self.model.norm(x)
            out += r
            return out

        return self.model.act(checkpoint(added, x, r, **self.options))


def test_sum_out_of_a_checkpoint():
    theirs, ours = pair()
    maps = make_maps(4, 6, 5, 3)
    actual = results(Checkpointed(ours, use_reentrant=False), *maps)
    assert_close(actual, results(theirs, *maps), torch.float64, factor=100)
    assert ours.norm.num_batches_tracked == 1


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_refuses_a_checkpoint_that_would_lose_its_gradient(training):
    _, ours = pair()
    with pytest.raises(RuntimeError, match="take use_reentrant=False, or fuse_norm=False"):
        results(Checkpointed(ours.train(training), use_reentrant=True), *make_maps(4, 6, 5, 3))
