"""The public functions with backend='triton' against the reference: output and every gradient."""

import pytest
import torch

from dyrelu_pose.ops import dyrelu, dyrelu_given
from dyrelu_pose.ops.folded_norm import normalized_dyrelu
from dyrelu_pose.ops.norm import Norm
from dyrelu_pose.ops.residual import Term, residual_dyrelu
from tests.ops.cases import assert_close, call_layer, make, make_layer, run

from .conftest import DEVICE

pytest.importorskip("triton", reason="the Triton backend needs the package triton")

SHAPES = [(3, 8), (2, 5, 41), (1, 4, 1, 1), (3, 5, 9, 11), (2, 1, 3, 3)]
FORMATS = [torch.contiguous_format, torch.channels_last]
on_formats = pytest.mark.parametrize("memory_format", FORMATS, ids=["nchw", "nhwc"])


def on_device(function):
    """Return `function`, computed on the device for leaves on the CPU."""
    return lambda *leaves: function(*(leaf.to(DEVICE) for leaf in leaves)).cpu()


def run_dyrelu(leaves, backend):
    return run(on_device(lambda *tensors: dyrelu_given(*tensors, backend=backend)), leaves)


def run_layer(leaves, constants, backend):
    return run(on_device(call_layer(dyrelu, constants, backend=backend)), leaves)


def doubles(leaves):
    return [leaf.detach().double() for leaf in leaves]


@pytest.mark.parametrize("spatial", [False, True], ids=["plain", "spatial"])
@pytest.mark.parametrize("shared", [False, True], ids=["per-channel", "shared"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_dyrelu_matches_the_reference(shape, k, shared, spatial):
    leaves = make(shape, k, torch.float64, shared, spatial)
    ours, theirs = run_dyrelu(leaves, "triton"), run_dyrelu(leaves, "reference")
    assert_close(ours, theirs, torch.float64)


@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_layer_matches_the_reference(shape, k, variant):
    leaves, constants = make_layer(shape, variant, k, dtype=torch.float64)
    ours, theirs = (run_layer(leaves, constants, name) for name in ("triton", "reference"))
    assert_close(ours, theirs, torch.float64, factor=10)


@on_formats
@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_layer_in_lower_precision(dtype, variant, memory_format):
    leaves, constants = make_layer((4, 12, 9, 7), variant)
    leaves[0] = leaves[0].detach().to(dtype).to(memory_format=memory_format)
    ours = run_layer(leaves, constants, "triton")
    assert ours[0].dtype == ours[1].dtype == dtype
    assert ours[0].stride() == ours[1].stride() == leaves[0].stride()
    # Triton's interpreter truncates to bfloat16 where a GPU rounds: twice the error.
    assert_close(ours, run_layer(doubles(leaves), constants, "reference"), dtype, factor=10)


@pytest.mark.parametrize("value", [0.0, 1.0, 1e30, -1e30, 1e-40])
@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_constant_zero_huge_and_subnormal_inputs(variant, value):
    leaves, constants = make_layer((2, 5, 3, 4), variant)
    leaves[0] = torch.full_like(leaves[0], value)
    ours, theirs = (run_layer(leaves, constants, name) for name in ("triton", "reference"))
    for got, want in zip(ours, theirs, strict=True):  # 1e60, a gradient of the weights, overflows
        assert torch.equal(got.isfinite(), want.isfinite())
    assert all(tensor.isfinite().all() for tensor in ours[: 2 if abs(value) > 1 else None])
    assert_close(ours[:2], theirs[:2], torch.float32, factor=10)


@pytest.mark.parametrize("spatial", [False, True], ids=["plain", "spatial"])
def test_dyrelu_of_half_precision_with_double_coefficients(spatial):
    x, *rest = make((2, 6, 5, 7), spatial=spatial)
    leaves = [x.detach().bfloat16(), *doubles(rest)]
    ours, theirs = run_dyrelu(leaves, "triton"), run_dyrelu(doubles(leaves), "reference")
    assert_close(ours, theirs, torch.bfloat16, factor=2)


def test_dyrelu_of_strided_tensors():
    leaves = make((2, 6, 10, 8))

    def strided(function):
        def of_parts(x, a, b):
            return function(x[:, ::2, 1::2].transpose(2, 3), a[:, ::2], b[:, ::2])

        return of_parts

    ours = run(on_device(strided(lambda *t: dyrelu_given(*t, backend="triton"))), leaves)
    theirs = run(strided(lambda *t: dyrelu_given(*t, backend="reference")), leaves)
    assert_close(ours, theirs, torch.float32)


@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_gradcheck(variant):
    leaves, constants = make_layer((2, 3, 3, 2), variant, hidden=2, dtype=torch.float64)
    layer = on_device(call_layer(dyrelu, constants, backend="triton"))
    assert torch.autograd.gradcheck(layer, leaves, fast_mode=True)


@pytest.mark.parametrize("variant", ["A", "B", "C"])
@on_formats
def test_layer_works_in_place_where_nothing_is_recorded(variant, memory_format):
    leaves, constants = make_layer((2, 4, 5, 3), variant)
    x, *rest = (leaf.detach().to(DEVICE) for leaf in leaves)
    x = x.to(memory_format=memory_format)
    expected = call_layer(dyrelu, constants, backend="triton")(x, *rest)
    version = x._version
    y = call_layer(dyrelu, constants, backend="triton", inplace=True)(x, *rest)
    assert y.data_ptr() == x.data_ptr()
    assert x._version > version  # which a backward pass that needs x compares
    assert y.stride() == x.stride()
    assert torch.equal(y, expected)


def test_in_place_leaves_the_memory_of_an_expanded_input_alone():
    (x, *rest), constants = make_layer((1, 4, 5, 3))
    x, *rest = (leaf.detach().to(DEVICE) for leaf in (x, *rest))
    expected = call_layer(dyrelu, constants, backend="triton")(x, *rest)
    inplace = call_layer(dyrelu, constants, backend="triton", inplace=True)
    assert torch.equal(inplace(x.expand(3, -1, -1, -1), *rest), expected.expand(3, -1, -1, -1))


@on_formats
@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_layer_of_a_normalized_input_matches_the_reference(variant, memory_format):
    (x, *weights), constants = make_layer((3, 5, 9, 11), variant, dtype=torch.float64)
    leaves = [x.detach().to(memory_format=memory_format)]
    leaves += [torch.rand(5, dtype=torch.float64) + 0.5, torch.rand(5, dtype=torch.float64)]
    leaves += weights

    def normalized(backend):
        def function(x, weight, bias, *weights):
            norm = Norm(weight, bias, None, None, 1e-5)

            def of_norm(x, *arguments):
                return normalized_dyrelu(x, norm, *arguments, backend)[0]

            return call_layer(of_norm, constants)(x, *weights)

        return on_device(function)

    ours, theirs = (run(normalized(name), leaves) for name in ("triton", "reference"))
    assert_close(ours, theirs, torch.float64, factor=100)


@on_formats
@pytest.mark.parametrize("both", [False, True], ids=["plain", "both-normed"])
@pytest.mark.parametrize("of_batch", [True, False], ids=["batch", "running"])
@pytest.mark.parametrize("variant", ["B", "C"])
def test_layer_of_a_residual_sum_matches_the_reference(variant, of_batch, both, memory_format):
    (x, *weights), constants = make_layer((3, 5, 9, 11), variant, dtype=torch.float64)
    statistics = (None, None) if of_batch else torch.rand(2, 5, dtype=torch.float64).to(DEVICE)
    leaves = [x.detach().to(memory_format=memory_format)]
    leaves.append(torch.randn(3, 5, 9, 11, dtype=torch.float64))
    leaves += [torch.rand(5, dtype=torch.float64) + 0.5 for _ in range(4)]
    leaves += weights

    def summed(backend):
        def function(x, r, weight, bias, weight_r, bias_r, *weights):
            norm, norm_r = (
                Norm(*affine, *statistics, 1e-5) for affine in ((weight, bias), (weight_r, bias_r))
            )
            shortcut = Term(r, norm_r if both else None)

            def of_sum(x, *arguments):
                return residual_dyrelu(Term(x, norm), shortcut, *arguments, backend)[0]

            y = call_layer(of_sum, constants)(x, *weights)
            return y + 0 * (weight_r + bias_r).sum()

        return on_device(function)

    ours, theirs = (run(summed(name), leaves) for name in ("triton", "reference"))
    assert_close(ours, theirs, torch.float64, factor=100)
