"""Variables of Python configs with another value, also where the file goes on to use them.

MMEngine merges the options of a command line when the file has been executed. `data_root`, `codec`
or `train_pipeline` have then been copied to where they are read, and the copies keep their values.
"""

import ast
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config

_ASSIGNED = """
from dyrelu_pose.config.variables import replaced as __replaced
{name} = __replaced({name!r}, {name}, {options!r})
"""  # what begins with `__` is not an entry of a config


@contextmanager
def overridden(options: dict) -> Iterator[None]:
    """Execute Python configs, and those that they inherit, with other values of their variables.

    Each assignment of a variable is followed by one of its new value.

    Args:
        options: Values by dotted key, such as `{"codec.input_size": [96, 96]}`.
    """
    original = Config._pre_substitute_base_vars

    def rewritten(filename: str, temp_config_name: str) -> dict:
        variables = original(filename, temp_config_name)
        file = Path(temp_config_name)  # MMEngine's copy, which it executes
        if file.suffix == ".py":
            tree = _Assignments(options).visit(ast.parse(file.read_bytes()))
            file.write_text(ast.unparse(tree), encoding="utf-8")
        return variables

    Config._pre_substitute_base_vars = staticmethod(rewritten)
    try:
        yield
    finally:
        Config._pre_substitute_base_vars = original


def replaced(name: str, value: object, options: dict) -> Any:
    """Return the value of a variable with options merged in, or as it is where they do not fit.

    One may fit a config and not the one that it inherits from.
    """
    config = Config({name: value})
    for key, option in options.items():
        with suppress(AttributeError, KeyError, TypeError):
            config.merge_from_dict({key: option})
    return config.to_dict()[name]


class _Assignments(ast.NodeTransformer):
    def __init__(self, options: dict) -> None:
        self.options = options

    def _visit(self, node: Any) -> list[ast.stmt]:
        if node.value is None:  # an annotation alone
            return [node]
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = [part for target in targets for part in ast.walk(target)]
        names = {
            part.id
            for part in parts
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        added = []
        for name in sorted(names):
            options = {
                key: value for key, value in self.options.items() if key.partition(".")[0] == name
            }
            if options:
                added += ast.parse(_ASSIGNED.format(name=name, options=options)).body
        return [node, *added]

    visit_Assign = visit_AugAssign = visit_AnnAssign = _visit

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_ClassDef = _leave  # what they assign is their own
