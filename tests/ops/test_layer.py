"""A whole layer as one function: against autograd through the equations, memory, and refusals."""

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from dyrelu_pose.ops import Hyper, dyrelu, reference

from .cases import NUMBA, assert_close, call_layer, make_layer, run

SHAPES = [(3, 8), (2, 6, 7), (1, 4, 1, 1), (3, 5, 9, 11), (40, 33, 13, 9)]
ids = dict(ids=str)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("shape", SHAPES, **ids)
def test_matches_autograd_through_the_equations(shape, variant, k):
    leaves, constants = make_layer(shape, variant, k, dtype=torch.float64)
    ours = run(call_layer(dyrelu, constants), leaves)
    theirs = run(call_layer(dyrelu, constants, backend="reference"), leaves)
    assert_close(ours, theirs, torch.float64, factor=10)


@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_matches_in_channels_last(variant):
    leaves, constants = make_layer((40, 33, 13, 9), variant)
    leaves[0] = leaves[0].detach().to(memory_format=torch.channels_last)
    actual = run(call_layer(dyrelu, constants), leaves)
    assert actual[0].stride() == actual[1].stride() == leaves[0].stride()
    double = [leaf.detach().double() for leaf in leaves]
    expected = run(call_layer(dyrelu, constants, backend="reference"), double)
    assert_close(actual, expected, torch.float32, factor=10)


@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], **ids)
def test_keeps_half_precision(dtype, variant):
    leaves, constants = make_layer((4, 12, 9, 7), variant)
    leaves[0] = leaves[0].detach().to(dtype)
    actual = run(call_layer(dyrelu, constants), leaves)
    assert actual[0].dtype == actual[1].dtype == dtype
    double = [leaf.detach().double() for leaf in leaves]
    expected = run(call_layer(dyrelu, constants, backend="reference"), double)
    assert_close(actual, expected, dtype, factor=2)


@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_gradcheck(variant):
    leaves, constants = make_layer((2, 4, 3, 2), variant, hidden=3, dtype=torch.float64)
    assert torch.autograd.gradcheck(call_layer(dyrelu, constants), leaves)


def test_reference_coefficients_are_the_equations():
    (x, w1, b1, w2, b2), (ranges, _) = make_layer((2, 3, 2, 2), k=2, hidden=2)
    a, b = reference.coefficients(x, Hyper(w1, b1, w2, b2), ranges)
    for n, c, k in torch.cartesian_prod(*(torch.arange(s) for s in a.shape)).tolist():
        hidden = [max(0, w1[i] @ x[n].mean((1, 2)) + b1[i]) for i in range(2)]
        theta = [
            sum(w2[4 * c + j, i] * hidden[i] for i in range(2)) + b2[4 * c + j] for j in (k, 2 + k)
        ]
        delta = [2 / (1 + torch.exp(-t)) - 1 for t in theta]
        torch.testing.assert_close(a[n, c, k], (k == 0) + 0.9 * delta[0])
        torch.testing.assert_close(b[n, c, k], 0.6 * delta[1])


def test_reference_map_is_the_equation():
    (x, *_, weight), (_, spatial) = make_layer((2, 3, 3, 4), "C", dtype=torch.float64)
    z = sum(weight[c] * x[:, c] for c in range(3)) / 2  # tau = 2
    p = z.exp() / z.exp().sum((1, 2), keepdim=True)
    expected = (0.5 * 12 * p).clamp(max=0.7)  # gamma = 0.5, P = 12, cap = 0.7
    assert expected.max() == 0.7  # reached
    torch.testing.assert_close(reference.spatial_map(x, weight, spatial), expected[:, None])


@pytest.mark.parametrize(("variant", "allowed"), [("A", 1.02), ("B", 1.02), ("C", 1.02 + 1 / 16)])
def test_keeps_little_more_than_its_input(variant, allowed):
    leaves, constants = make_layer((4, 16, 32, 24), variant, hidden=2)
    parameters = {leaf.data_ptr() for leaf in leaves[1:]}
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        call_layer(dyrelu, constants)(*leaves)
    kept = sum(t.nbytes for t in saved if t.data_ptr() not in parameters)
    assert leaves[0].nbytes < kept <= allowed * leaves[0].nbytes


@pytest.mark.parametrize("frozen", range(6))
def test_gradient_of_a_part_does_not_depend_on_the_rest(frozen):
    leaves, constants = make_layer((2, 4, 5, 3), "C", dtype=torch.float64)
    layer = call_layer(dyrelu, constants)
    every = torch.autograd.grad(layer(*leaves).square().sum(), leaves)
    some = [leaf.detach().requires_grad_(i != frozen) for i, leaf in enumerate(leaves)]
    layer(*some).square().sum().backward()
    for i, leaf in enumerate(some):
        assert leaf.grad is None if i == frozen else torch.equal(leaf.grad, every[i])


@pytest.mark.parametrize("backend", ["eager", "compile", NUMBA])
@pytest.mark.parametrize("variant", ["B", "C"])
@pytest.mark.parametrize("shape", [(2, 4, 5, 3), (40, 33, 13, 9)], **ids)
def test_works_in_place_where_nothing_is_recorded(shape, variant, backend):
    leaves, constants = make_layer(shape, variant)
    inplace = call_layer(dyrelu, constants, backend=backend, inplace=True)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        x = leaves[0].detach().clone(memory_format=memory_format)
        expected = inplace(x, *leaves[1:])  # out of place: the weights are recorded
        assert torch.equal(x, leaves[0])
        with torch.no_grad():
            y = inplace(x, *leaves[1:])
        assert y.data_ptr() == x.data_ptr()
        assert y.stride() == x.stride()
        assert torch.equal(y, expected)


@pytest.mark.parametrize("backend", ["eager", "compile", NUMBA])
@pytest.mark.parametrize("variant", ["B", "C"])
def test_in_place_at_the_start_of_a_checkpoint_leaves_its_input_alone(variant, backend):
    leaves, constants = make_layer((2, 4, 5, 3), variant, dtype=torch.float64)
    inplace = call_layer(dyrelu, constants, backend=backend, inplace=True)
    checkpoint(inplace, *leaves, use_reentrant=True).square().sum().backward()
    y = call_layer(dyrelu, constants, backend="reference")(*leaves)
    expected = torch.autograd.grad(y.square().sum(), leaves)
    assert_close([leaf.grad for leaf in leaves], expected, torch.float64, factor=10)


@pytest.mark.parametrize("backend", ["eager", "compile", NUMBA])
def test_in_place_over_what_a_backward_pass_needs_is_found_out(backend):
    leaves, constants = make_layer((2, 4, 5, 3))
    x, *weights = (leaf.detach() for leaf in leaves)
    y = x * torch.ones(3, requires_grad=True)  # keeps x
    call_layer(dyrelu, constants, backend=backend, inplace=True)(x, *weights)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_in_place_leaves_the_memory_of_an_expanded_input_alone():
    leaves, constants = make_layer((1, 4, 5, 3))
    x = leaves[0].detach()
    with torch.no_grad():
        expected = call_layer(dyrelu, constants)(x.expand(3, -1, -1, -1).clone(), *leaves[1:])
        inplace = call_layer(dyrelu, constants, inplace=True)
        assert torch.equal(inplace(x.expand(3, -1, -1, -1), *leaves[1:]), expected)


@pytest.mark.parametrize("backend", ["eager", "compile", NUMBA])
@pytest.mark.parametrize("variant", ["B", "C"])
def test_the_output_may_be_changed_in_place(variant, backend):
    leaves, constants = make_layer((2, 4, 5, 3), variant, dtype=torch.float64)
    y = call_layer(dyrelu, constants, backend="reference")(*leaves)
    expected = torch.autograd.grad((2 * y).square().sum(), leaves)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        x = leaves[0].detach().to(memory_format=memory_format).requires_grad_()
        y = call_layer(dyrelu, constants, backend=backend)(x, *leaves[1:])
        y *= 2
        actual = torch.autograd.grad(y.square().sum(), [x, *leaves[1:]])
        assert_close(actual, expected, torch.float64, factor=10)


def test_zero_batch():
    leaves, constants = make_layer((0, 4, 3, 3), "C")
    call_layer(dyrelu, constants)(*leaves).sum().backward()
    assert leaves[0].grad.shape == (0, 4, 3, 3)
    assert all(not leaf.grad.any() for leaf in leaves[1:])


def test_refuses_a_second_derivative():
    leaves, constants = make_layer((2, 3, 4))
    y = call_layer(dyrelu, constants)(*leaves).sum()
    with pytest.raises(RuntimeError, match="no second derivative.*reference"):
        torch.autograd.grad(y, leaves[0], create_graph=True)


def test_reference_has_a_second_derivative():
    leaves, constants = make_layer((2, 3, 4), dtype=torch.float64)
    layer = call_layer(dyrelu, constants, backend="reference")
    assert torch.autograd.gradgradcheck(layer, leaves)
