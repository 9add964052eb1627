"""Errors that name the key of a config, instead of a traceback out of somebody else's code."""

import operator
import reprlib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from os.path import abspath, isfile
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import TestLoop
from torch import nn

from dyrelu_pose.errors import UserError, article, described

T = TypeVar("T")

READ = ("_file2dict", "_parse_lazy_import")  # MMEngine's, which call themselves for `_base_`
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxdict, _REPR.maxstring, _REPR.maxother = 2, 40, 100, 100


class ConfigError(UserError):
    """A config has a value that cannot be used; the message names its key."""


def config_in(error: Exception, path: str | Path) -> str:
    """Say which file an error of reading a config is about: it, one it inherits from, or a circle.

    Args:
        error: What MMEngine raised.
        path: The config.
    """
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    read = [abspath(frame.f_locals["filename"]) for frame in frames if frame.f_code.co_name in READ]
    files = [file for file in dict.fromkeys(read) if isfile(file)]
    if len(files) < len(read) and isinstance(error, RecursionError):
        return f"config {path} (which inherits from itself: {' from '.join([*files, files[0]])})"
    if len(files) > 1:
        return f"config {files[-1]} (which {path} inherits from)"
    return f"config {path}"


def expect(value: object, kinds: type[T] | tuple[type[T], ...], key: str) -> T:
    """Return a value of a config that has to be of some type.

    Args:
        value: The value.
        kinds: Its type, or several.
        key: Where it is, such as `train_dataloader.dataset`.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(value, kinds):
        kinds = kinds if isinstance(kinds, tuple) else (kinds,)
        names = " or ".join(article(kind.__name__) for kind in kinds)
        raise ConfigError(f"{key} of the config is {value!r}: it has to be {names}")
    return value


@contextmanager
def named_parts(cfg: Config) -> Iterator[None]:
    """Name the part of a config whose code raised an error.

    It is what MMEngine was building, a metric, a head that computed its loss, or `compile`. An
    error of no such part passes through, and so does a `UserError`.

    Raises:
        ConfigError: Says which part, what is in it, and what was raised where.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if cfg.get("compile") and type(error).__module__.startswith("torch._"):
            raise ConfigError(
                f"compile of the config is {cfg.compile!r}, and torch.compile cannot compile the "
                f"training step: {described(error)}; leave it out, or compile the layers alone, by "
                "backend='compile' in their act"
            ) from error
        built = _being_built(error.__traceback__)
        for same in (operator.eq, _holds):
            for part in built:
                if found := _find(cfg.to_dict(), part, same):
                    raise ConfigError(_message(*found, "built", error)) from error
        if key := _computing(error.__traceback__):
            value = reduce(lambda part, name: part.get(name) or {}, key.split("."), cfg)
            raise ConfigError(_message(key, value, "computed", error)) from error
        raise


def _being_built(trace: TracebackType | None) -> list[object]:
    """List what MMEngine was building, the innermost first."""
    builders = ("build_from_cfg", "build_optim_wrapper")
    frames = [frame for frame, _ in traceback.walk_tb(trace) if frame.f_code.co_name in builders]
    return [frame.f_locals["cfg"] for frame in reversed(frames) if "cfg" in frame.f_locals]


def _computing(trace: TracebackType | None) -> str | None:
    """Return the key of the evaluator or the head whose code was running, if any was."""
    frames = [(frame.f_locals.get("self"), frame) for frame, _ in traceback.walk_tb(trace)]
    for owner, frame in frames:
        if isinstance(owner, BaseMetric):
            is_test = any(isinstance(other, TestLoop) for other, _ in frames)
            return "test_evaluator" if is_test else "val_evaluator"
        is_part = isinstance(owner, nn.Module) and not isinstance(owner, BaseModel)
        if is_part and frame.f_code.co_name == "loss":
            return "model.head"
    return None


def _holds(value: object, part: object) -> bool:
    """Whether all of a part is in a value: MMEngine builds some parts without some keys.

    A `DyReLUPoseEstimator` is built as the estimator that it names.
    """
    if not (isinstance(value, dict) and isinstance(part, dict) and len(part) > 1):
        return False
    return all(
        key in value and (value[key] == part[key] or key == "type" and value.get("estimator"))
        for key in part
    )


def _find(whole: object, part: object, same: Callable) -> tuple[str, object] | None:
    """Return the key and the value of the first part of a config that is the same as `part`."""
    items = whole.items() if isinstance(whole, dict) else ()
    if isinstance(whole, list | tuple):
        items = enumerate(whole)
    for name, value in items:
        if isinstance(part, type(value)) and same(value, part):
            return str(name), value
        if below := _find(value, part, same):
            return f"{name}.{below[0]}", below[1]
    return None


def _message(key: str, value: object, what: str, error: Exception) -> str:
    return f"{key} of the config cannot be {what}: {described(error)}; it is {_REPR.repr(value)}"
