"""JSON and YAML configs, which may come from anyone: nothing that they say runs code of theirs.

A Python config is a program. MMEngine runs code for the others too: YAML tags call any function,
`type` names any function of any module, `custom_imports` any module, `_base_` and `from_file` any
Python file, and data may be pickles. `load` and `apply` close these ways.
"""

import re
from importlib import import_module
from json import JSONDecodeError
from pathlib import Path

import yaml
from mmengine.config import Config
from mmengine.fileio.handlers import PickleHandler, YamlHandler, file_handlers
from mmengine.registry import registry
from mmengine.utils import import_modules_from_strings

from dyrelu_pose.errors import UserError

SUFFIXES = (".json", ".yaml", ".yml")

# The packages whose modules such a config may have imported.
PACKAGES = ("dyrelu_pose", "mmcv", "mmengine", "mmpose", "mmpretrain")

# A config inside an installed package, as MMEngine names it; no way out of its folder.
_INSTALLED = re.compile(r"\w+::(?!.*\.\.)[\w.-]+(/[\w.-]+)*")

# MMPose's descriptions of keypoints are Python files; it has those of this name.
_METAINFO = re.compile(r"configs/_base_/datasets/\w+\.py")

_IN_PYTHON = "a Python config, which you trust, may do so and have this one as its _base_"


class DataConfigError(UserError):
    """A JSON or YAML config is damaged, or asks for what only a Python config may."""


class SafeYamlHandler(YamlHandler):
    """Reads plain data and tuples, which MMEngine writes, instead of calling what tags name."""

    def load_from_fileobj(self, file, **kwargs):
        """Return the content of a YAML file."""
        return yaml.load(file, Loader=_Loader)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    pass


_Loader.add_constructor(
    "tag:yaml.org,2002:python/tuple",
    lambda loader, node: tuple(loader.construct_sequence(node, deep=True)),
)


class _NoPickles(PickleHandler):
    def load_from_fileobj(self, file, **kwargs):
        raise DataConfigError(
            "a JSON or YAML config names a pickle, which could run any code: use JSON, or "
            + _IN_PYTHON
        )


def is_data(path: str | Path) -> bool:
    """Whether this is a config that is data, not a program."""
    return Path(path).suffix in SUFFIXES


def load(path: str | Path) -> Config:
    """Return a JSON or YAML config.

    From here on `type` names registered classes only, and no pickle is read, in this process.

    Raises:
        DataConfigError: It is not valid, or names a module, a file or a pickle that could run code.
    """
    try:
        cfg = Config.fromfile(path, import_custom_modules=False)
    except (JSONDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise DataConfigError(f"config {path} is not valid: {reason}") from error
    except AttributeError as error:
        raise DataConfigError(f"config {path} holds no keys and values") from error
    _check_files(cfg.to_dict(), path)
    imports = cfg.get("custom_imports")
    if imports:
        _check_imports(imports, path)
    _restrict()
    if imports:
        import_modules_from_strings(**imports)
    return cfg


def check_base(base: str, filename: str) -> None:
    """Check that a config inherits data from data.

    Args:
        base: An entry of its `_base_`.
        filename: The config.

    Raises:
        DataConfigError: The config is JSON or YAML, and `base` is a Python file that is not part
            of an installed package.
    """
    if is_data(filename) and not is_data(base) and not _INSTALLED.fullmatch(base):
        raise DataConfigError(
            f"config {filename} has _base_ {base}, which is a program: a JSON or YAML config "
            "inherits from others, or from PACKAGE::CONFIG of an installed package"
        )


def apply() -> None:
    """Make MMEngine read YAML as plain data, everywhere."""
    for suffix in ("yaml", "yml"):
        file_handlers[suffix] = SafeYamlHandler()


def _check_files(value: object, path: str | Path) -> None:
    if isinstance(value, dict):
        name = value.get("from_file")
        if isinstance(name, str) and not _METAINFO.fullmatch(name):
            raise DataConfigError(
                f"config {path} has from_file={name}, which may be a program, and not one of "
                f"configs/_base_/datasets/*.py, which are MMPose's: {_IN_PYTHON}"
            )
        value = list(value.values())
    for item in value if isinstance(value, list | tuple) else ():
        _check_files(item, path)


def _check_imports(imports: dict, path: str | Path) -> None:
    names = imports.get("imports") if isinstance(imports, dict) else None
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise DataConfigError(f"config {path}: custom_imports.imports is no list of modules")
    for name in names:
        if name.partition(".")[0] not in PACKAGES:
            raise DataConfigError(
                f"config {path} has {name} in custom_imports, and may import from "
                f"{', '.join(PACKAGES)} only: {_IN_PYTHON}"
            )


def _import_known(name: str):
    """MMEngine imports the package that a scope names: here only those of OpenMMLab."""
    if name.partition(".")[0] not in PACKAGES:
        raise ImportError(f"{name} is not among {', '.join(PACKAGES)}")
    return import_module(name)


def _restrict() -> None:
    registry.get_object_from_string = lambda name: None  # MMEngine then says that it is no class
    registry.import_module = _import_known
    for suffix in ("pkl", "pickle"):
        file_handlers[suffix] = _NoPickles()
