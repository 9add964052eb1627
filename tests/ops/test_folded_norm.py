"""The folded batch normalization: against BatchNorm2d and DyReLU one after the other."""

import copy

import pytest
import torch
from torch import nn

from dyrelu_pose import DyReLUA, DyReLUB, DyReLUC
from dyrelu_pose.ops.folded_norm import normalized_dyrelu
from dyrelu_pose.ops.norm import Norm

from .cases import NUMBA, TOLERANCE, assert_close, call_layer, make_layer


def pair(variant=DyReLUB, channels=6, dtype=torch.float64, seed=0, backend="auto", **options):
    """Return a norm with its DyReLU, unfolded and folded, with the same state."""
    torch.manual_seed(seed)
    norm = nn.BatchNorm2d(channels, **options)
    theirs = nn.Sequential(norm, variant(channels, reduction=2, backend=backend)).to(dtype)
    for tensor in (*theirs.parameters(), *(b for b in norm.buffers() if b.is_floating_point())):
        nn.init.uniform_(tensor, 0.3, 1.5)
    ours = copy.deepcopy(theirs)
    ours[1].fold_norm(ours, "0")
    return theirs, ours


def results(model, x, grad):
    """Return output, gradients and floating-point buffers of one pass."""
    x = x.detach().requires_grad_()
    y = model(x)
    grads = torch.autograd.grad(y, [x, *model.parameters()], grad)
    return [y.detach(), *grads, *(b for b in model.buffers() if b.is_floating_point())]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("variant", [DyReLUA, DyReLUB, DyReLUC])
@pytest.mark.parametrize("backend", ["eager", "compile", "reference", NUMBA])
@pytest.mark.parametrize("shape", [(3, 6, 5, 4), (70, 6, 16, 24), (2, 6, 1, 1)], ids=str)
def test_matches_norm_and_layer(shape, backend, variant, training):
    theirs, ours = (model.train(training) for model in pair(variant, backend=backend))
    x, grad = torch.randn(2, *shape, dtype=torch.float64) * 2 + 1
    assert_close(results(ours, x, grad), results(theirs, x, grad), torch.float64, factor=100)


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
def test_options_of_the_norm(options):
    theirs, ours = pair(**options)
    for training in (True, True, False):
        theirs.train(training), ours.train(training)
        x, grad = torch.randn(2, 4, 6, 5, 3, dtype=torch.float64)
        assert_close(results(ours, x, grad), results(theirs, x, grad), torch.float64, factor=100)


@pytest.mark.parametrize("variant", [DyReLUB, DyReLUC])
def test_keeps_channels_last(variant):
    theirs, ours = pair(variant, channels=33, dtype=torch.float32)
    x = torch.randn(40, 33, 13, 9).to(memory_format=torch.channels_last)
    actual = results(ours, x, torch.ones_like(x))
    assert actual[0].stride() == actual[1].stride() == x.stride()
    expected = results(theirs.double(), x.double(), torch.ones_like(x).double())
    assert_close(actual, expected, torch.float32, factor=20)


@pytest.mark.parametrize("variant", [DyReLUB, DyReLUC])
def test_half_precision_input(variant):
    theirs, ours = pair(variant, dtype=torch.float32)
    x = torch.randn(4, 6, 9, 7).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = ours(x)
    assert y.dtype == torch.bfloat16
    expected = theirs.double()(x.double())
    assert (y - expected).abs().max() <= 2 * TOLERANCE[torch.bfloat16] * expected.abs().max()


@pytest.mark.parametrize("variant", ["B", "C"])
def test_gradcheck(variant):
    (x, *weights), constants = make_layer((2, 3, 2, 2), variant, hidden=2, dtype=torch.float64)
    norm_weights = torch.randn(2, 3, dtype=torch.float64)

    def run(x, weight, bias, *weights):
        def function(x, *arguments):
            return normalized_dyrelu(x, Norm(weight, bias, None, None, 1e-5), *arguments)[0]

        return call_layer(function, constants)(x, *weights)

    leaves = [t.detach().requires_grad_() for t in (x, *norm_weights, *weights)]
    assert torch.autograd.gradcheck(run, leaves)


def test_keeps_little_more_than_its_input():
    _, ours = pair(dtype=torch.float32)
    x = torch.randn(4, 6, 32, 24, requires_grad=True)
    parameters = {p.data_ptr() for p in ours.parameters()}
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        ours(x)
    kept = sum(t.nbytes for t in saved if t.data_ptr() not in parameters)
    assert x.nbytes < kept <= 1.02 * x.nbytes


def test_state_dict_is_that_of_the_unfolded_model():
    theirs, ours = pair()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())


def test_a_copy_folds_its_own_norm():
    _, ours = pair()
    copied = copy.deepcopy(ours)
    nn.init.zeros_(copied[0].weight)
    x = torch.randn(2, 6, 3, 3, dtype=torch.float64)
    assert not torch.allclose(ours.eval()(x), copied.eval()(x))


def test_a_norm_put_in_its_place_is_not_computed_twice():
    theirs, ours = (model.eval() for model in pair())
    x = torch.randn(2, 6, 3, 3, dtype=torch.float64)
    ours = nn.SyncBatchNorm.convert_sync_batchnorm(ours)
    assert type(ours[0]) is nn.SyncBatchNorm
    torch.testing.assert_close(ours(x), theirs(x))
    ours[0] = nn.Identity()  # as after the fusion of a convolution with its norm
    torch.testing.assert_close(ours(theirs[0](x)), theirs(x))


def test_compiles_without_graph_breaks():
    _, ours = pair(dtype=torch.float32)
    x = torch.randn(3, 6, 5, 4, requires_grad=True)
    expected = results(copy.deepcopy(ours), x, torch.ones_like(x))
    actual = results(
        torch.compile(ours, fullgraph=True, backend="aot_eager"), x, torch.ones_like(x)
    )
    torch.testing.assert_close(actual, expected)


def test_one_value_per_channel_has_no_variance():
    _, ours = pair()
    with pytest.raises(ValueError, match=r"more than one value per channel.*\(1, 6, 1, 1\)"):
        ours(torch.zeros(1, 6, 1, 1, dtype=torch.float64))


def test_only_a_batch_norm_is_folded():
    model = nn.Sequential(nn.InstanceNorm2d(4), DyReLUB(4))
    with pytest.raises(TypeError, match="only an nn.BatchNorm2d can be folded, not InstanceNorm2d"):
        model[1].fold_norm(model, "0")


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_coefficients_are_those_of_the_normalized_input(training):
    theirs, ours = pair()
    x = torch.randn(4, 6, 5, 3, dtype=torch.float64)
    for model in (theirs, ours):
        model.train(training)
    before = copy.deepcopy(ours.state_dict())
    seen = copy.deepcopy(theirs)[0](x)
    torch.testing.assert_close(ours[1].normalize(x), seen)
    for own, expected in zip(ours[1].coefficients(x), theirs[1].coefficients(seen), strict=True):
        torch.testing.assert_close(own, expected)
    for name, value in ours.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert theirs[1].normalize(seen) is seen
