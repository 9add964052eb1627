"""Loads MMEngine's checkpoints under `weights_only=True`, wherever they come from.

MMEngine 0.10.7 saves more than tensors: logs as `HistoryBuffer`s, scores and facts about the data
as NumPy scalars and arrays, which torch refuses unless they are on its allow-list. `apply()` puts
them there, and nothing else: a file that asks for any other function or class is refused. A config
in a checkpoint, which MMEngine would execute as Python, is left out.

It leaves `weights_only` to torch's default, which is False for what torch itself downloads, and
anywhere where the environment says TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD; `apply()` sets it.
"""

import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pickle import UnpicklingError

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner.checkpoint import CheckpointLoader

from dyrelu_pose.errors import UserError, article, no_file


class CheckpointError(UserError, RuntimeError):
    """A checkpoint cannot be loaded; the message names the file, the reason and what to do."""


class CheckpointNotFoundError(CheckpointError, FileNotFoundError):
    """There is no checkpoint of that name."""


# The class attributes that MMEngine pickles, as a call of `getattr`. `getattr` itself would
# reach anything from any class on the list.
_PICKLED_ATTRIBUTES = {
    HistoryBuffer: ("min", "max", "current", "mean"),
    OneCycleParamScheduler: ("_annealing_cos", "_annealing_linear"),
}

# Plain data only: an array of objects could hold anything.
_DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128", "str"),
)

# How files begin that are taken for checkpoints, and what to say of them.
OTHERS = {
    b"<": "a web page, or what a server said: download the file itself",
    b"version https://git-lfs": "a pointer of Git LFS: fetch what it stands for by git lfs pull",
}

# How torch names what it refuses: a global, an object of a class, a function.
_REFUSED = re.compile(
    r"(?:GLOBAL |but got <class '|unrecognized function )"
    r"(.+?)(?: was not an allowed| whose module|'>|$)",
    re.MULTILINE,
)


def _getattr(owner: type, name: str) -> object:
    if name not in _PICKLED_ATTRIBUTES.get(owner, ()):
        raise UnpicklingError(f"GLOBAL getattr of {name!r} was not an allowed global")
    return getattr(owner, name)


def _no_bytes() -> bytes:
    """Stand in for `bytes`, as which pickle writes the content of an empty array."""
    return b""


def _allowed() -> list:
    """Return the allow-list: a function or class, or a pair of it and its name in the file."""
    rebuild_array = np.zeros(1).__reduce__()[0]
    rebuild_scalar = np.float64(0).__reduce__()[0]
    return [
        *_PICKLED_ATTRIBUTES,
        (_getattr, "builtins.getattr"),
        (_no_bytes, "builtins.bytes"),
        np.ndarray,
        np.dtype,
        *(type(np.dtype(name)) for name in _DTYPES),
        # numpy.core is where NumPy 1 had them, and files say so
        *((rebuild_array, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
        *((rebuild_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    ]


def _guarded(load: Callable) -> Callable:
    """`load`, one of MMEngine's loaders, with one clear error in place of torch's and zipfile's."""

    @functools.wraps(load)  # MMEngine logs its name
    def load_guarded(filename: str, map_location=None) -> dict:
        try:
            with _weights_only():
                checkpoint = load(filename, map_location)
        except FileNotFoundError:
            raise CheckpointNotFoundError(
                f"checkpoint {filename} {no_file(filename)}; check the path"
            ) from None
        except PermissionError:  # clear as it is
            raise
        except Exception as error:
            raise CheckpointError(_reason(filename, error)) from None
        if not isinstance(checkpoint, dict):
            held = article(type(checkpoint).__name__)
            raise CheckpointError(f"checkpoint {filename} holds {held}, not a state dict")
        state = checkpoint.get("state_dict", checkpoint)
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise CheckpointError(
                f"checkpoint {filename} holds no state dict, tensors by their names"
            )
        # MMEngine, which saves none, executes it to compare numbers of GPUs when it resumes.
        if isinstance(checkpoint.get("meta"), dict):
            checkpoint["meta"].pop("config", None)
        return checkpoint

    vars(load_guarded).update(guarded=True)
    return load_guarded


@contextmanager
def _weights_only() -> Iterator[None]:
    """Let every `torch.load` load weights only, also one that says `weights_only=False`."""
    others = os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
    before = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"]
        if before is not None:
            os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = before
        if others is not None:
            os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = others


def _reason(filename: str, error: Exception) -> str:
    """Return the message for a file that torch failed to load with `error`."""
    refused = _REFUSED.search(str(error))
    if refused is not None:
        return (
            f"checkpoint {filename} is refused: it asks for {refused[1]}, which is not among the "
            "tensors, NumPy arrays and MMEngine logs that a checkpoint may hold, and could run any "
            "code. If you trust whoever made it, have them save the weights alone: "
            "torch.save({'state_dict': model.state_dict()}, ...)"
        )
    if "://" in filename and isinstance(error, OSError):
        cause = getattr(error, "reason", error)
        return (
            f"checkpoint {filename} cannot be downloaded ({cause}): check the address and the "
            "network, or download it yourself and give the file"
        )
    if "://" in filename and isinstance(error, KeyError):
        return f"checkpoint {filename}: there is no model {error} there; check its name"
    if known := _known(filename):
        return f"checkpoint {filename} cannot be read: it is {known}"
    reason = next(iter(str(error).splitlines()), "")
    if isinstance(error, ImportError) or "not installed" in reason:  # what reads such files
        return f"checkpoint {filename} cannot be read: {reason}"
    if not reason or "weights_only" in reason:  # torch's advice is to turn the safety off
        reason = type(error).__name__
    return (
        f"checkpoint {filename} cannot be read ({reason}); "
        "it is probably truncated or not a checkpoint: check its name, copy or download it again"
    )


def _known(filename: str) -> str | None:
    """Say what a file that is not a checkpoint is, by how it begins, and what to do."""
    if not os.path.isfile(filename):
        return None
    with open(filename, "rb") as file:
        start = file.read(64).lstrip()
    if not start:
        return "empty: copy or download it again"
    return next((said for begins, said in OTHERS.items() if start.startswith(begins)), None)


def apply() -> None:
    """Extend torch's allow-list and guard MMEngine's loaders of files, URLs and model zoos.

    The loaders are registered anew, with MMEngine's own registry of them, so that every way in
    (`load_from`, `resume`, `init_cfg`, `init_model`) gets the same errors. May be called again.
    """
    torch.serialization.add_safe_globals(_allowed())
    for scheme, load in list(CheckpointLoader._schemes.items()):
        if not hasattr(load, "guarded"):
            CheckpointLoader.register_scheme(scheme, _guarded(load), force=True)
