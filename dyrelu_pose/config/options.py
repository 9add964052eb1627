"""What the options of a command line change in a config: one that changes nothing is refused."""

import difflib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.runner._flexible_runner import FlexibleRunner

from dyrelu_pose.errors import UserError, message_of, some
from dyrelu_pose.models.input_size import decoder_input_size

from .parts import entries

# What MMEngine's runners are made of, and what they look up while they run. The launcher is a flag.
READ = {
    *inspect.signature(Runner).parameters,
    *inspect.signature(FlexibleRunner).parameters,
    *("activation_checkpointing", "compile", "custom_imports", "efficient_conv_bn_eval"),
    *("find_unused_parameters", "init_weights_for_test_or_val", "model_wrapper_cfg"),
    *("runner_type", "sync_bn"),
} - {"cfg", "launcher"}
SHOWN = 6  # keys named in an error


class OptionError(UserError):
    """An option of the command line fits nothing in the config, or changes nothing."""


def follow(read: Callable[[dict], Config], options: dict) -> Config:
    """Return a config in which options that set variables also change what is made from these.

    Options that set no variable are left for `merge`.

    Args:
        read: Returns the config, where variables of its file have the values that it is given.
        options: Values by dotted key, as `--cfg-options` has them.

    Raises:
        OptionError: Nothing reads an option or is made from it.
    """
    cfg = read({})
    variables = _of_variables(cfg, options)
    for key, value in variables.items():
        try:
            changed = read({key: value})
        except Exception as error:  # whatever the file does with it
            raise OptionError(
                f"option {key}={value}: {cfg.filename} cannot be executed with this value: "
                f"{error.__cause__ or error!r}"
            ) from error
        merge(changed, {key: value})
        if places := _differences(_read_parts(cfg), _read_parts(changed)):
            _say(f"option {key} takes effect in {some(places, SHOWN)}")
        elif _value(cfg, key) != (value,):
            raise OptionError(f"option {key} changes nothing: {_reason(cfg, key)}")
    return read(variables) if variables else cfg


@contextmanager
def named_options(cfg: Config, options: dict | None) -> Iterator[None]:
    """Add the options that set variables to a `UserError`: it may be about what is made from them.

    Raises:
        UserError: The same, with the options.
    """
    try:
        yield
    except UserError as error:
        if not (followed := ", ".join(_of_variables(cfg, options or {}))):
            raise
        raise UserError(
            f"{message_of(error)} (with what is made of the options {followed})"
        ) from error


def merge(cfg: Config, options: dict) -> None:
    """Merge options into a config.

    Raises:
        OptionError: Names the first one that does not fit, such as an index beyond a list.
    """
    try:
        cfg.merge_from_dict(options)
    except (AttributeError, KeyError, TypeError):
        for key, value in options.items():
            try:
                Config(cfg.to_dict()).merge_from_dict({key: value})
            except (AttributeError, KeyError, TypeError) as error:
                reason = textwrap.shorten(str(error.args[0]), 150)
                raise OptionError(
                    f"option {key} does not fit the config: {reason}; what is there can be "
                    "set as a whole"
                ) from error
        raise


@cache
def _say(line: str) -> None:
    """Print a line, the first time only: an ablation reads a config for each of its runs."""
    print(line, file=sys.stderr)


def _of_variables(cfg: Config, options: dict) -> dict:
    keys = _read_keys(cfg)
    return {key: value for key, value in options.items() if key.partition(".")[0] not in keys}


def _read_keys(cfg: Config) -> set[str]:
    """Return the keys at the top of a config that something reads when the file has been read."""
    model = cfg.get("model")
    if not isinstance(model, dict):
        return READ
    keys = READ - {"data_preprocessor"} if "data_preprocessor" in model else READ
    has_size = model.get("input_size") or decoder_input_size(model.get("head"))
    return keys if has_size else keys | {"codec", "input_size"}


def _read_parts(cfg: Config) -> dict:
    keys = _read_keys(cfg)
    return {key: value for key, value in cfg.to_dict().items() if key in keys}


def _value(cfg: Config, key: str) -> tuple:
    """Return the value at a dotted key, alone in a tuple; nothing if there is no such key."""
    return tuple(value for name, value in entries(cfg.to_dict()) if name == key)


def _reason(cfg: Config, key: str) -> str:
    variable, _, below = key.partition(".")
    if variable not in cfg:
        ends = [name for name, _ in entries(_read_parts(cfg)) if name.endswith(f".{key}")]
        tops = difflib.get_close_matches(variable, sorted({*READ, *cfg.keys()}), n=3)
        close = ends[:SHOWN] or [f"{top}.{below}".rstrip(".") for top in tops]
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        return f"{variable} is not an entry that is read{hint}"
    held = _value(cfg, key)
    parts = entries(_read_parts(cfg))
    copies = [name for name, value in parts if held and _is_copy(value, held[0])]
    if not copies:
        return f"nothing reads {variable} of {cfg.filename}, and nothing there is made from it"
    return (
        f"nothing reads {variable} of {cfg.filename}; what is read are the copies of it that were "
        f"made: set {some(copies, SHOWN)}"
    )


def _differences(before: dict, after: dict) -> list[str]:
    """Return the dotted keys of what differs, each without those around it."""
    known = dict(entries(before))
    keys = [key for key, value in entries(after) if key not in known or known[key] != value]
    around = {key.rpartition(".")[0] for key in keys}
    return [key for key in keys if key not in around]


def _is_copy(value: object, original: object) -> bool:
    if isinstance(value, str) and isinstance(original, str):
        return original != "" and value.startswith(original)
    return isinstance(original, list | tuple | dict) and len(original) > 0 and value == original
