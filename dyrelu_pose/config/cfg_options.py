"""Parses `--cfg-options`: what MMEngine's parser takes, and lists of dicts, and spaces."""

import argparse
import ast
import re
from collections.abc import Sequence
from typing import Any

from mmengine.config import DictAction

_INSIDE = re.compile(r"(?<=[^\s,[(]) +(?=[^\s,\])])")  # spaces in a text, not around it
_KEPT = "\0"  # for a space, as MMEngine takes all of them out of a value


class CfgOptions(DictAction):
    """MMEngine's action for argparse, which also takes `[dict(type='A')]` and `[{"type": "A"}]`.

    The spaces in a value, as in `My Pictures` and `coco/AP .5`, stay in it.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str],  # pyright: ignore[reportIncompatibleMethodOverride]
        option_string: str | None = None,
    ) -> None:
        """Add the options to those that were given before."""
        options = dict(getattr(namespace, self.dest) or {})
        for text in values:
            key, equals, value = text.partition("=")
            if not equals or not all(key.split(".")) or re.search(r"\s", key):
                raise argparse.ArgumentError(
                    self, f"{text!r} is not KEY=VALUE, which has no spaces around the ="
                )
            try:
                options[key] = self._parsed(value)
            except (AssertionError, RecursionError, SyntaxError, ValueError) as error:
                raise argparse.ArgumentError(
                    self, f"the value of {key} cannot be read, {value!r}: {error}"
                ) from error
        setattr(namespace, self.dest, options)

    def _parsed(self, value: str) -> object:
        if re.match(r"\s*([\[({]|dict\()", value) and re.search(r"\{|\bdict\(", value):
            return ast.literal_eval(_Dicts().visit(ast.parse(value.strip(), mode="eval")))
        kept = _INSIDE.sub(lambda spaces: _KEPT * len(spaces[0]), value)
        return _with_spaces(self._parse_iterable(kept))


def _with_spaces(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_with_spaces, value))
    return value.replace(_KEPT, " ") if isinstance(value, str) else value


class _Dicts(ast.NodeTransformer):
    """Makes `dict(key=value)` a literal, and JSON's words."""

    WORDS = {"true": True, "false": False, "null": None}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        names = [keyword.arg for keyword in node.keywords]
        if ast.unparse(node.func) != "dict" or node.args or None in names:
            return node
        keys: list[ast.expr | None] = [ast.Constant(name) for name in names]
        return ast.Dict(keys, [keyword.value for keyword in node.keywords])

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(self.WORDS[node.id]) if node.id in self.WORDS else node
