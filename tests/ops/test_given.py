"""The op against the reference: forward, every gradient, ties, memory, formats and refusals."""

import pytest
import torch

from dyrelu_pose.ops import dyrelu_given, reference

from .cases import assert_close, make, run

SHAPES = [
    (2, 8),
    (3, 5, 7),
    (1, 4, 1, 1),
    (1, 16, 9, 11),
    (5, 3, 13, 2),
    (64, 33, 11, 9),  # larger than one tile
]


@pytest.mark.parametrize("spatial", [False, True], ids=["plain", "spatial"])
@pytest.mark.parametrize("shared", [False, True], ids=["per-channel", "shared"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_matches_reference(shape, k, shared, spatial):
    tensors = make(shape, k, torch.float64, shared, spatial)
    assert_close(run(dyrelu_given, tensors), run(reference.dyrelu_given, tensors), torch.float64)


@pytest.mark.parametrize("spatial", [False, True], ids=["plain", "spatial"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_matches_float64_reference_in_lower_precision(dtype, spatial):
    tensors = make((4, 12, 9, 7), 2, dtype, spatial=spatial)
    actual = run(dyrelu_given, tensors)
    assert actual[0].dtype == actual[1].dtype == dtype
    assert_close(actual, run(reference.dyrelu_given, [t.double() for t in tensors]), dtype)


def test_reference_is_the_equation():
    x, a, b = (t.detach() for t in make((2, 3, 2, 2), 3))
    y = reference.dyrelu_given(x, a, b)
    for n, c, h, w in torch.cartesian_prod(*(torch.arange(s) for s in x.shape)).tolist():
        value = max(a[n, c, k] * x[n, c, h, w] + b[n, c, k] for k in range(3))
        assert y[n, c, h, w] == value


@pytest.mark.parametrize("spatial", [False, True], ids=["plain", "spatial"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_gradcheck(k, spatial):
    tensors = make((2, 3, 4, 2), k, torch.float64, spatial=spatial)
    assert torch.autograd.gradcheck(dyrelu_given, tensors)


@pytest.mark.parametrize(
    "function", [dyrelu_given, reference.dyrelu_given], ids=["op", "reference"]
)
def test_last_branch_takes_the_gradient_of_a_tie(function):
    # Branches x, 1 and 2x - 1 all equal 1 at x = 1.
    x = torch.ones(1, 1, 1, requires_grad=True)
    a = torch.tensor([[[1.0, 0.0, 2.0]]], requires_grad=True)
    b = torch.tensor([[[0.0, 1.0, -1.0]]], requires_grad=True)
    function(x, a, b).sum().backward()
    assert x.grad.item() == 2
    assert a.grad.flatten().tolist() == b.grad.flatten().tolist() == [0, 0, 1]


def test_relu_coefficients_are_relu_and_its_gradient_even_at_zero():
    x = torch.tensor([[-1.0, -0.0, 0.0, 2.0]], requires_grad=True)
    a = torch.tensor([1.0, 0.0]).expand(1, 4, 2)
    y = dyrelu_given(x, a, torch.zeros(1, 4, 2))
    grad = torch.tensor([[3.0, 5.0, 7.0, 11.0]])
    torch.testing.assert_close(y, x.relu(), rtol=0, atol=0)
    ours = torch.autograd.grad(y, x, grad)[0]
    assert torch.equal(ours, torch.autograd.grad(x.relu(), x, grad)[0])


@pytest.mark.parametrize("spatial", [False, True], ids=["plain", "spatial"])
def test_keeps_only_the_input_and_the_coefficients(spatial):
    tensors = make((4, 16, 20, 10), spatial=spatial)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        dyrelu_given(*tensors)
    assert sum(t.nbytes for t in saved) == sum(t.nbytes for t in tensors)


@pytest.mark.parametrize("batch", [1, 3, 40])
def test_keeps_channels_last(batch):
    x, a, b = make((batch, 8, 30, 20))
    x = x.detach().to(memory_format=torch.channels_last).requires_grad_()
    y = dyrelu_given(x, a, b)
    y.sum().backward()
    assert y.stride() == x.stride() == x.grad.stride()


def test_accepts_strided_input():
    x, a, b = make((2, 6, 10, 8))
    strided = [x.detach()[:, ::2, 1::2].transpose(2, 3), a.detach()[:, ::2], b.detach()[:, ::2]]
    assert_close(run(dyrelu_given, strided), run(reference.dyrelu_given, strided), torch.float32)


def test_zero_batch():
    x, a, b = make((0, 4, 3, 3))
    dyrelu_given(x, a, b).sum().backward()
    assert x.grad.shape == (0, 4, 3, 3)


def test_refuses_a_second_derivative():
    x, a, b = make((2, 3, 4))
    y = dyrelu_given(x, a, b).sum()
    with pytest.raises(RuntimeError, match="no second derivative.*reference"):
        torch.autograd.grad(y, x, create_graph=True)


@pytest.mark.parametrize(
    ("a", "b", "pi", "message"),
    [
        ((2, 4, 2), (2, 4, 2), None, r"got a \(2, 4, 2\) for x \(2, 3, 5\)"),
        ((1, 3, 2), (1, 3, 2), None, r"got a \(1, 3, 2\)"),
        ((2, 3, 2), (2, 3, 1), None, "must agree in shape"),
        ((2, 3, 2), (2, 3, 2), (2, 3, 5), r"pi must be .* got \(2, 3, 5\)"),
    ],
)
def test_refuses_shapes_that_do_not_fit(a, b, pi, message):
    x, a, b = torch.zeros(2, 3, 5), torch.zeros(a), torch.zeros(b)
    with pytest.raises(ValueError, match=message):
        dyrelu_given(x, a, b, None if pi is None else torch.zeros(pi))
