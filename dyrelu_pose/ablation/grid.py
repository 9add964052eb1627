"""Reads a grid: the cells of an ablation, each as what differs from one base config.

A grid is a config of its own with these names:

    base      config that the cells change, relative to the grid
    baseline  name of the cell that the others are compared with
    other_baselines
              names of cells that they are compared with as well, each in a table of its own
    cells     name -> dict with any of
                  dyrelu   rules, as of `DyReLUPoseEstimator`; [] places nothing; without it the
                           cell keeps what its config has
                  options  entries to override, dotted as in --cfg-options
                  config   a base of its own, relative to the grid
    rows, columns   instead of cells: name -> rules; every pair is the cell "row+column", with the
                    rules of both
    axes      with rows and columns: what they are, such as ("backbone", "head")
    curves    names of the cells whose learning curves are drawn, six at most (the first six)
    options   entries to override in every cell, before the cell's own

Names that begin with an underscore are the grid's own helpers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from dyrelu_pose.config.load import load_config
from dyrelu_pose.errors import UserError, no_file

KEYS = (
    *("base", "baseline", "other_baselines", "cells", "options"),
    *("rows", "columns", "axes", "curves"),
)
MAX_CURVES = 6  # colors that any eye tells apart
CELL_KEYS = ("dyrelu", "options", "config")
NAME = re.compile(r"[\w][\w.+=,-]*")  # a folder is named after the cell


class GridError(UserError, ValueError):
    """A grid that cannot be run as it is written."""


@dataclass(frozen=True)
class Cell:
    """One point of a grid.

    Attributes:
        name: Its name.
        config: Config file that it changes.
        dyrelu: Rules to place by, [] for none; None keeps those of the config.
        options: Dotted entries to override.
    """

    name: str
    config: Path
    dyrelu: list[dict] | None = None
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """The cells of one ablation.

    Attributes:
        name: Stem of its file; with another base, followed by the stem of that.
        cells: Its cells, by name, in order.
        baseline: Name of the cell that the others are compared with.
        rows: Names of the rows if it is a matrix, else ().
        columns: Names of the columns if it is a matrix, else ().
        axes: What rows and columns are.
        curves: Names of the cells whose learning curves are drawn.
        other_baselines: Names of cells that the others are compared with as well.
    """

    name: str
    cells: dict[str, Cell]
    baseline: str
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    axes: tuple[str, str] = ("rows", "columns")
    curves: tuple[str, ...] = ()
    other_baselines: tuple[str, ...] = ()


def load_grid(path: str | Path, base: str | Path | None = None) -> Grid:
    """Read a grid and check its form.

    Args:
        path: File of the grid.
        base: Config to take instead of the grid's `base`, relative to the working directory.

    Raises:
        GridError: The file does not exist, or is not as the head of this module says.
        UserError: It cannot be read, as of `load_config`.
    """
    path = Path(path)
    if not path.is_file():
        raise GridError(f"grid {path} {no_file(path)}")
    entries = {
        key: value
        for key, value in load_config(str(path)).to_dict().items()
        if not key.startswith("_")
    }
    _check_keys(f"grid {path}", entries, KEYS)
    default = Path(base) if base else _beside(path, entries.get("base"))
    options = entries.get("options") or {}
    if not isinstance(options, Mapping):
        raise GridError(f"grid {path}: options must be a dict of dotted keys, not {options!r}")
    cells = {
        name: _cell(path, name, cell, default, options)
        for name, cell in _cells(path, entries).items()
    }
    baseline = entries.get("baseline")
    if baseline not in list(cells):  # it may be anything
        raise GridError(
            f"grid {path}: baseline {baseline!r} is not one of its cells: {_list(cells)}"
        )
    axes = _names(path, entries, "axes", Grid.axes)
    if len(axes) != 2 or ("axes" in entries and "rows" not in entries):
        raise GridError(f"grid {path}: axes are two names, of rows and columns, not {axes}")
    curves = _names(path, entries, "curves", tuple(cells)[:MAX_CURVES])
    if len(curves) > MAX_CURVES or not set(curves) <= set(cells):
        raise GridError(
            f"grid {path}: curves are up to {MAX_CURVES} of its cells, {_list(cells)}, not "
            f"{_list(curves)}"
        )
    other_baselines = _names(path, entries, "other_baselines", ())
    if not set(other_baselines) <= set(cells):
        raise GridError(
            f"grid {path}: other_baselines have to be among its cells, {_list(cells)}, not "
            f"{_list(other_baselines)}"
        )
    return Grid(
        name=f"{path.stem}-{Path(base).stem}" if base else path.stem,
        cells=cells,
        baseline=baseline,
        rows=tuple(entries.get("rows", ())),
        columns=tuple(entries.get("columns", ())),
        axes=axes,
        curves=curves,
        other_baselines=other_baselines,
    )


def _cells(path: Path, entries: dict) -> dict[str, dict]:
    matrix = [key for key in ("rows", "columns") if key in entries]
    if ("cells" in entries) == bool(matrix) or len(matrix) == 1:
        raise GridError(f"grid {path}: give it either cells, or rows and columns")
    for key in ("cells", *matrix):
        if not isinstance(entries.get(key, {}), Mapping):
            raise GridError(f"grid {path}: {key} must be a dict by name, not {entries[key]!r}")
    cells = entries.get("cells")
    if cells is None:
        rows, columns = entries["rows"], entries["columns"]
        for name, rules in (*rows.items(), *columns.items()):
            if not isinstance(rules, list):
                raise GridError(f"grid {path}: {name} must be a list of rules, not {rules!r}")
        cells = {
            f"{row}+{column}": dict(dyrelu=[*rows[row], *columns[column]])
            for row, column in product(rows, columns)
        }
    if not cells:
        raise GridError(f"grid {path} has no cells")
    return cells


def _cell(path: Path, name: str, cell: dict, default: Path | None, options: Mapping) -> Cell:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise GridError(
            f"grid {path}: {name!r} cannot name a cell, whose folder is called like it: use "
            "letters, digits and . + = , - _"
        )
    where = f"grid {path}, cell {name}"
    if not isinstance(cell, Mapping):
        raise GridError(f"{where} must be a dict, not {cell!r}")
    _check_keys(where, cell, CELL_KEYS)
    if not isinstance(cell.get("options", {}), Mapping):
        raise GridError(f"{where}: options must be a dict of dotted keys, not {cell['options']!r}")
    config = _beside(path, cell["config"]) if "config" in cell else default
    if config is None:
        raise GridError(f"{where} has no config, and the grid no base")
    if not config.is_file():
        raise GridError(f"{where}: config {config} {no_file(config)}")
    return Cell(name, config, cell.get("dyrelu"), {**options, **cell.get("options", {})})


def _check_keys(where: str, entries: Mapping, known: tuple[str, ...]) -> None:
    if unknown := sorted(set(entries) - set(known)):
        raise GridError(f"{where} has the unknown key {unknown[0]!r}; it may have {_list(known)}")


def _names(path: Path, entries: dict, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    names = entries.get(key, default)
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise GridError(f"grid {path}: {key} must be a list of names, not {names!r}")
    return tuple(names)


def _beside(path: Path, config: str | None) -> Path | None:
    if not isinstance(config, str | None):
        raise GridError(f"grid {path}: a config must be a file's name, not {config!r}")
    return None if config is None else path.parent / config


def _list(names) -> str:
    return ", ".join(map(str, names)) or "(none)"
