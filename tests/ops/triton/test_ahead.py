"""The kernels compile for GPUs, which the interpreter does not show: ahead of time, without one."""

import json
from collections import defaultdict

import pytest

from tests.scripts import run

from .conftest import DEVICE

pytest.importorskip("triton", reason="the Triton backend needs the package triton")
pytestmark = pytest.mark.skipif(DEVICE == "cuda", reason="a GPU compiles them in the other tests")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Return what was compiled: case, kernel, hash and whether it keeps NaN, for two map sizes."""
    cache = str(tmp_path_factory.mktemp("cache"))
    env = dict(TRITON_CACHE_DIR=cache, TRITON_INTERPRET="0")
    printed = run("-m", "tests.ops.triton.ahead", stderr=None, **env)
    return [json.loads(line) for line in printed.splitlines()]


def test_all_kernels_compile(compiled):
    cases = {case for case, *_ in compiled}
    kernels = {kernel for _, kernel, *_ in compiled}
    assert len(cases) == 2 * 8
    assert len(kernels) == 13
    of_passes = [case for case, *_ in compiled if not case.startswith("site")]
    assert len(of_passes) == 2 * 10 * 8


def test_sizes_of_a_kind_share_a_kernel(compiled):
    hashes = defaultdict(set)
    for case, kernel, key, _ in compiled:
        hashes[case, kernel].add(key)
    assert [name for name, keys in hashes.items() if len(keys) > 1] == []


def test_maximum_keeps_nan(compiled):
    # The interpreter keeps NaN in any case. There is no such instruction for float64.
    maxima = {case: keeps for case, kernel, _, keeps in compiled if kernel == "apply_kernel"}
    maxima = {case: keeps for case, keeps in maxima.items() if not case.startswith("site")}
    assert [case for case, keeps in maxima.items() if not keeps] == [
        "sm_80 [torch.bfloat16, torch.contiguous_format, 1, False]",  # no maximum
        "sm_80 [torch.float64, torch.contiguous_format, 2, True]",
    ]
