"""Configs from their files, with the options of a command line."""

import traceback
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from dyrelu_pose.errors import UserError, no_file

from . import safe
from .errors import ConfigError, config_in
from .options import follow, merge
from .variables import overridden

MODULE = "<module>"  # what Python calls the code of a file, outside of its functions


def load_config(path: str, options: dict | None = None) -> Config:
    """Return the config at `path` with the `--cfg-options` merged in.

    A variable of a Python config has the value of an option also where the file uses it.

    Raises:
        OptionError: An option does not fit the config, or changes nothing.
        UserError: The file does not exist or is none of a config; or it is JSON or YAML and
            damaged, or could run code.
    """
    if not Path(path).is_file():
        raise UserError(f"config {path} {no_file(path)}")
    if Path(path).suffix not in (".py", *safe.SUFFIXES):
        endings = ", ".join((".py", *safe.SUFFIXES))
        raise UserError(f"config {path}: its name has to end in one of {endings}")
    options = options or {}
    cfg = follow(partial(read, path), options)
    merge(cfg, options)
    if any(key.partition(".")[0] == "custom_imports" for key in options):
        import_modules_from_strings(**cfg.custom_imports)
    # Its text goes into the log, a file and every checkpoint, and YAPF takes seconds each time, or
    # minutes if it describes a hundred keypoints. `fromfile` has an option that it does not obey.
    object.__setattr__(cfg, "_format_python_code", False)
    return cfg


def load_model_config(path: str, options: dict | None = None) -> Config:
    """Return the config at `path` as `load_config` does, if it has a model.

    Raises:
        ConfigError: It has none.
        UserError: As of `load_config`.
    """
    cfg = load_config(path, options)
    if not isinstance(cfg.get("model"), dict):
        raise ConfigError(f"config {path} has no model: it is a part of a config, or data")
    return cfg


def read(path: str | Path, variables: dict) -> Config:
    """Return the config at `path`, where Python's variables have the values that are given.

    Raises:
        DataConfigError: It is JSON or YAML and damaged, or could run code.
        UserError: It is not Python, or not in UTF-8, or cannot be executed; or one that it inherits
            from is not, or is not there.
    """
    try:
        with overridden(variables) if variables else nullcontext():
            return safe.load(path) if safe.is_data(path) else Config.fromfile(path)
    except (SyntaxError, UnicodeDecodeError) as error:
        is_mark = "U+FEFF" in str(error)
        hint = "; save it in UTF-8 without a byte-order mark" if is_mark else ""
        reason = str(error).replace("(<unknown>, ", "(")  # MMEngine's copy has no name
        raise UserError(f"{config_in(error, path)}: {reason}{hint}") from error
    except UserError:
        raise
    except Exception as error:  # whatever the file does
        raise UserError(f"{config_in(error, path)} cannot be executed: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return what went wrong in a config, and in which line of it or of what it imports."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}, line {frame.lineno}: " for frame in frames if frame.name == MODULE]
    cause: BaseException = error
    while isinstance(cause, ImportError) and cause.__context__:  # MMEngine's, of custom_imports
        cause = cause.__context__
    return f"{lines[-1] if lines else ''}{type(cause).__name__}: {cause}"
