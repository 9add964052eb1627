"""What a JSON or YAML config may not say, since it would run code when it is built.

MMEngine and the packages around it take strings of a config for more than data: a `type` that no
registry knows is imported, with its module, and called; so is the package of a scope; some
arguments are evaluated, pickles are loaded, folders join Python's path. `check` refuses each, by
its value where the key does not matter. It looks once, when the config is read: nothing of the
process is changed, and a Python config beside it keeps all that MMEngine can do.
"""

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from dyrelu_pose.errors import UserError

# The packages whose modules such a config may have imported.
PACKAGES = ("dyrelu_pose", "mmcv", "mmengine", "mmpose", "mmpretrain")

IN_PYTHON = "a Python config, which you trust, may do so and have this one as its _base_"

# MMPose's descriptions of keypoints are Python files; it has those of this name.
_METAINFO = re.compile(r"configs/_base_/datasets/\w+\.py")

# Keys whose values are looked up in a registry. `type`, `runner_type`, `ema_type` and the like are;
# MMPretrain evaluates a `dtype`, MMCV the `type` of an NMS.
_NAMES = re.compile(r"\w*type|auto_wrap_policy|check_fn|constructor|estimator|param_init_fn")
_NAME = re.compile(r"[\w./ -]*")

_SCOPES = ("_scope_", "default_scope")

# A file's name is not an attribute of a module that could be called.
_FILE = re.compile(r"[^.]+\.(avi|bmp|csv|jpe?g|json|mp4|npy|npz|onnx|png|pth?|txt|ya?ml)")

_PICKLES = ("pkl", "pickle")

# Registered classes that evaluate their arguments, or read configs or pickles on their own.
_RUN_CODE = (
    *("RFSearchHook", "DWPoseDistiller", "H36MWholeBodyDataset"),
    *("CIFAR10", "CIFAR100", "RAM", "RAMNormal", "RAMOpenset"),
)

# Keys of a folder to import from, and of leave to run code that is downloaded.
_KEYS = ("sys_path", "trust_remote_code")


class DataConfigError(UserError):
    """A JSON or YAML config is damaged, or asks for what only a Python config may."""


def check(content: dict, path: str | Path) -> None:
    """Check that no part of a config runs code of whoever wrote it.

    Args:
        content: All of it, with what it inherits.
        path: Its file.

    Raises:
        DataConfigError: Names the part and the reason.
    """
    parts = dict(content)
    if imports := parts.pop("custom_imports", None):
        _check_imports(imports, path)
    compiled = content.get("compile")
    if isinstance(compiled, dict) and "options" in compiled:
        raise _refusal(path, "compile.options", "which may name the compiler to run")
    for key, value in _entries(parts):
        name = key.rpartition(".")[2]
        if name in _KEYS:
            raise _refusal(path, key, "which lets other code in")
        if isinstance(value, str) and (reason := _reason(name, value)):
            raise _refusal(path, f"{key}={value}", reason)


def _reason(name: str, value: str) -> str | None:
    """Return why a string may not be the value of a key of that name; None if it may."""
    is_name = _NAMES.fullmatch(name)
    if name == "from_file":
        metainfo = "one of configs/_base_/datasets/*.py, which are MMPose's"
        return None if _METAINFO.fullmatch(value) else f"a program, perhaps, and not {metainfo}"
    if is_name and not _NAME.fullmatch(value):
        return "an expression, not a name"
    if is_name and value.rpartition(".")[2] in _RUN_CODE:
        return "a class that runs what its arguments say"
    if name in _SCOPES and value not in PACKAGES and _is_module(value.partition(".")[0]):
        return f"a package that is not among {', '.join(PACKAGES)}"
    # MMEngine writes predictions as pickles, to `out_file_path`
    if value.rpartition(".")[2] in _PICKLES and name != "out_file_path":
        return "a pickle, which could run any code, unlike JSON"
    is_dotted = "." in value and not _FILE.fullmatch(value)
    if (is_name or is_dotted) and _is_imported(value):
        return "which is imported, while a JSON or YAML config names registered classes only"
    return None


def _is_imported(name: str) -> bool:
    """Whether MMEngine finds a module, or something in one, when no registry has the name."""
    package, dot, rest = name.partition(".")
    below = rest.partition(".")[0]
    if package in PACKAGES and dot:  # the scope of a registered class, unless it has such a name
        is_there = _is_module(package)
        return is_there and (
            hasattr(import_module(package), below) or _is_module(f"{package}.{below}")
        )
    if not _is_folder(package):
        return _is_module(package)
    # a folder is nothing to import, but what is in it; the registry of a scope is asked for, too
    return any(_is_module(f"{package}.{module}") for module in ("registry", below))


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # the latter for __main__, '' and what is not a string
        return sys.modules.get(name) is not None


def _is_folder(name: str) -> bool:
    """Whether a name is that of a folder on Python's path without code of its own."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is None and spec.submodule_search_locations is not None


def _entries(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield (key, value) of everything in a config, at any depth."""
    yield key, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _entries(item, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _entries(item, key)


def _check_imports(imports: object, path: str | Path) -> None:
    names = imports.get("imports") if isinstance(imports, dict) else None
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise DataConfigError(f"config {path}: custom_imports.imports is not a list of modules")
    for name in names:
        if name.partition(".")[0] not in PACKAGES:
            raise _refusal(
                path,
                f"{name} in custom_imports",
                f"and may import from {', '.join(PACKAGES)} only",
            )


def _refusal(path: str | Path, what: str, reason: str) -> DataConfigError:
    return DataConfigError(f"config {path} has {what}, {reason}: {IN_PYTHON}")
