"""The passes as operators `torch.ops.dyrelu_pose.*`: what torch.compile and export see of them.

`torch.library.define` rather than `custom_op`, which adds several microseconds to every call.
Operators return tensors only, so an absent result is an empty tensor.
"""

import math

import torch
from torch import Tensor

from dyrelu_pose.ops.hyper import Hyper, Ranges
from dyrelu_pose.ops.precision import compute_dtype

from .apply import apply, apply_
from .grad_input import grad_input
from .hyper import hyper_forward
from .hyper_backward import hyper_backward
from .maps import empty_like
from .pool import moments, pool
from .reduce import reduce
from .residual import apply_sum, grad_sum, reduce_sum

HYPER = (
    "Tensor w1, Tensor b1, Tensor w2, Tensor b2, int k, float lambda_a, float lambda_b, float rest"
)

SUM = "Tensor x, Tensor t, Tensor r, Tensor? t_r"


def _register(schema: str, function, fake) -> None:
    """Define an operator by its schema, its function and one that only allocates the results."""
    name = f"dyrelu_pose::{schema.split('(')[0]}"
    torch.library.define(name, schema[schema.index("(") :])
    torch.library.impl(name, "default", function)
    torch.library.register_fake(name, fake)


def _hyper_forward(s, w1, b1, w2, b2, k, lambda_a, lambda_b, rest):
    return hyper_forward(s, Hyper(w1, b1, w2, b2), Ranges(k, lambda_a, lambda_b, rest))


def _hyper_backward(grad_coef, s, hidden, delta, w1, b1, w2, b2, k, lambda_a, lambda_b, rest):
    hyper, ranges = Hyper(w1, b1, w2, b2), Ranges(k, lambda_a, lambda_b, rest)
    grad_s, grads = hyper_backward(grad_coef, s, hidden, delta, hyper, ranges)
    return grad_s, *grads


def _of_positions(x: Tensor, present: bool, dtype: torch.dtype) -> Tensor:
    shape = (x.shape[0], math.prod(x.shape[2:])) if present else 0
    return x.new_empty(shape, dtype=dtype)


def _fake_pool(x, weight):
    mean = x.new_empty(x.shape[:2], dtype=compute_dtype(x))
    return mean, _of_positions(x, weight is not None, compute_dtype(x))


def _fake_moments(x):
    return tuple(x.new_empty(x.shape[:2], dtype=compute_dtype(x)) for _ in range(2))


def _fake_reduce(x, coef, pi, grad):
    grad_coef = coef.new_empty((x.shape[0], coef.shape[2], x.shape[1])).mT
    return grad_coef, _of_positions(x, pi is not None, coef.dtype)


def _fake_grad_input(x, coef, pi, grad, grad_mean, slope, grad_z, weight):
    return empty_like(x), coef.new_empty(0 if weight is None else x.shape[1])


def _fake_reduce_sum(x, t, r, t_r, coef, pi, grad):
    sums = coef.new_empty((x.shape[0], coef.shape[2] + 2, x.shape[1])).mT
    return sums, _of_positions(x, pi is not None, coef.dtype)


def _fake_hyper_forward(s, w1, b1, w2, b2, k, lambda_a, lambda_b, rest):
    n, sets = s.shape[0], w2.shape[0] // (2 * k)
    coef = s.new_empty((n, 2 * k, sets)).mT
    return s.new_empty((n, w1.shape[0])), s.new_empty((n, sets, 2 * k)), coef


def _fake_hyper_backward(grad_coef, s, hidden, delta, w1, b1, w2, b2, k, lambda_a, lambda_b, rest):
    return tuple(tensor.new_empty(tensor.shape) for tensor in (s, w1, b1, w2, b2))


_register("pool(Tensor x, Tensor? weight) -> (Tensor, Tensor)", pool, _fake_pool)
_register("moments(Tensor x) -> (Tensor, Tensor)", moments, _fake_moments)
_register(
    "apply(Tensor x, Tensor coef, Tensor? pi) -> Tensor",
    apply,
    lambda x, coef, pi: empty_like(x),
)
_register(
    "apply_(Tensor(a!) x, Tensor coef, Tensor? pi) -> ()",
    apply_,
    lambda x, coef, pi: None,
)
_register(
    "reduce(Tensor x, Tensor coef, Tensor? pi, Tensor grad) -> (Tensor, Tensor)",
    reduce,
    _fake_reduce,
)
_register(
    "grad_input(Tensor x, Tensor coef, Tensor? pi, Tensor grad, Tensor? grad_mean, Tensor? slope, "
    "Tensor? grad_z, Tensor? weight) -> (Tensor, Tensor)",
    grad_input,
    _fake_grad_input,
)
_register(
    f"apply_sum({SUM}, Tensor coef, Tensor? pi) -> Tensor",
    apply_sum,
    lambda x, t, r, t_r, coef, pi: empty_like(x),
)
_register(
    f"reduce_sum({SUM}, Tensor coef, Tensor? pi, Tensor grad) -> (Tensor, Tensor)",
    reduce_sum,
    _fake_reduce_sum,
)
_register(
    f"grad_sum({SUM}, Tensor coef, Tensor? pi, Tensor grad, Tensor grad_mean, Tensor? slope, "
    "Tensor? shift, Tensor? slope_r, Tensor? shift_r, Tensor? grad_z, Tensor? weight) -> "
    "(Tensor, Tensor)",
    grad_sum,
    lambda x, *args: (empty_like(x), empty_like(x)),
)
_register(
    f"hyper_forward(Tensor s, {HYPER}) -> (Tensor, Tensor, Tensor)",
    _hyper_forward,
    _fake_hyper_forward,
)
_register(
    f"hyper_backward(Tensor grad_coef, Tensor s, Tensor hidden, Tensor delta, {HYPER}) -> "
    "(Tensor, Tensor, Tensor, Tensor, Tensor)",
    _hyper_backward,
    _fake_hyper_backward,
)
