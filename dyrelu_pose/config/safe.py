"""JSON and YAML configs, which may come from anyone: nothing that they say runs code of theirs.

A Python config is a program. MMEngine runs code for the others too: YAML tags call any function,
`_base_` may be any Python file. `load` and `apply` close these ways; what else a config could say
to run code, `forbidden.check` refuses.
"""

import json
import re
from pathlib import Path

import yaml
from mmengine.config import Config
from mmengine.fileio.handlers import JsonHandler, YamlHandler, file_handlers
from mmengine.utils import import_modules_from_strings

from .errors import config_in
from .forbidden import DataConfigError, check

SUFFIXES = (".json", ".yaml", ".yml")

# A config inside an installed package, as MMEngine names it; no way out of its folder.
_INSTALLED = re.compile(r"\w+::(?!.*\.\.)[\w.-]+(/[\w.-]+)*")


class SafeYamlHandler(YamlHandler):
    """Reads plain data and tuples, which MMEngine writes, instead of calling what tags name."""

    def load_from_fileobj(self, file, **kwargs):
        """Return the content of a YAML file."""
        return yaml.load(file, Loader=_Loader)


_FASTEST: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # not every PyYAML has LibYAML


class MarkedJsonHandler(JsonHandler):
    """Reads JSON as MMEngine does, and where it begins with a byte-order mark."""

    def load_from_fileobj(self, file):
        """Return the content of a JSON file."""
        content = file.read()
        return json.loads(content.removeprefix("\ufeff") if isinstance(content, str) else content)


class _Loader(_FASTEST):
    pass


_Loader.add_constructor(
    "tag:yaml.org,2002:python/tuple",
    lambda loader, node: tuple(loader.construct_sequence(node, deep=True)),
)


def is_data(path: str | Path) -> bool:
    """Whether this is a config that is data, not a program."""
    return Path(path).suffix in SUFFIXES


def load(path: str | Path) -> Config:
    """Return a JSON or YAML config.

    Raises:
        DataConfigError: It is not valid, or could run code of whoever wrote it.
    """
    try:
        cfg = Config.fromfile(path, import_custom_modules=False)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise DataConfigError(f"{config_in(error, path)} is not valid: {reason}") from error
    except AttributeError as error:
        raise DataConfigError(f"{config_in(error, path)} holds no keys and values") from error
    check(cfg.to_dict(), path)
    if imports := cfg.get("custom_imports"):
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
    """Make MMEngine read YAML as plain data, and JSON with a byte-order mark, everywhere."""
    for suffix in ("yaml", "yml"):
        file_handlers[suffix] = SafeYamlHandler()
    file_handlers["json"] = MarkedJsonHandler()
