"""Whatever the shape, the options and the values: layers agree with the equations, or refuse."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dyrelu_pose import DyReLUA, DyReLUB, DyReLUC

VARIANTS = {"A": DyReLUA, "B": DyReLUB, "C": DyReLUC}
HUGE = 1e30
examples = settings(deadline=None, max_examples=60, derandomize=True)


@st.composite
def layers(draw, dtype=torch.float64):
    """A layer with random weights and an input of its width."""
    variant = draw(st.sampled_from(sorted(VARIANTS)))
    channels = draw(st.integers(1, 13))
    options = dict(
        reduction=draw(st.integers(1, 20)),  # does not divide the channels, or exceeds them
        k=draw(st.integers(1, 4)),
        lambda_a=draw(st.floats(0, 3)),
        lambda_b=draw(st.floats(0, 3)),
    )
    if variant == "C":
        options.update(gamma=draw(st.floats(0.1, 3)), cap=draw(st.floats(0.2, 4)))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    layer = VARIANTS[variant](channels, **options).to(dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=dtype))
    batch = draw(st.integers(0, 3))
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    whole = torch.randn(batch, channels, 2 * height, 2 * width, generator=generator, dtype=dtype)
    views = {
        "contiguous": lambda: whole[..., :height, :width].contiguous(),
        "part": lambda: whole[..., :height, :width],
        "strided": lambda: whole[..., ::2, ::2],
        "transposed": lambda: whole[..., :width, :height].transpose(2, 3),
        "channels_last": lambda: whole[..., :height, :width].contiguous(
            memory_format=torch.channels_last
        ),
        "flipped": lambda: whole[..., :height, :width].flip(0),
    }
    return layer, views[draw(st.sampled_from(sorted(views)))]()


@examples
@given(layers())
def test_output_and_gradients_are_those_of_the_equations(case):
    layer, x = case
    results = []
    for backend in ("reference", "eager"):
        layer.backend = backend
        own = x.clone().requires_grad_()
        y = layer(own)
        weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
        inputs = [own, *layer.parameters()]
        grads = torch.autograd.grad((y * weights).sum(), inputs, allow_unused=True)
        results.append([y, *(torch.zeros_like(i) if g is None else g
                             for i, g in zip(inputs, grads, strict=True))])  # fmt: skip
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


@examples
@given(layers(torch.float32), st.sampled_from([torch.float32, torch.bfloat16, torch.float16]))
def test_shape_and_dtype_are_kept(case, dtype):
    layer, x = case
    y = layer.to(dtype)(x.to(dtype))
    assert (y.shape, y.dtype) == (x.shape, dtype)
    assert y.isfinite().all()


@examples
@given(
    layers(torch.float32),
    st.sampled_from([0.0, 1.0, -1.0, HUGE, -HUGE, 1e-40, float(torch.finfo().tiny)]),
    st.sampled_from(["reference", "eager"]),
)
def test_constant_zero_huge_and_subnormal_inputs_give_finite_numbers(case, value, backend):
    layer, x = case
    layer.backend = backend
    x = torch.full_like(x, value).requires_grad_()
    y = layer(x)
    assert y.isfinite().all()
    y.sum().backward()
    assert x.grad.isfinite().all()
    if abs(value) <= 1:  # beyond, the product of an input and a hidden unit may overflow
        grads = [parameter.grad for parameter in layer.parameters()]
        assert all(grad.isfinite().all() for grad in grads if grad is not None)


@examples
@given(st.sampled_from(sorted(VARIANTS)), st.integers(-3, 0), st.sampled_from(["k", "reduction"]))
def test_options_below_one_are_refused_by_name(variant, number, option):
    with pytest.raises(ValueError, match=f"{option} must be a whole number from 1, got {number}"):
        VARIANTS[variant](4, **{option: number})
