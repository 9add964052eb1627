"""How grids are read, and what is wrong with those that cannot be run."""

import pytest

from dyrelu_pose.ablation.grid import GridError, load_grid
from dyrelu_pose.errors import UserError

from .conftest import DEMO

B = "dict(sites='backbone.*', act=dict(type='DyReLUB'))"


def test_cells_and_their_options(write_grid):
    grid = load_grid(
        write_grid(f"""
        base = DEMO
        baseline = "relu"
        options = {{"train_cfg.max_epochs": 1, "randomness.seed": 5}}
        _rule = {B}
        cells = dict(relu=dict(), b=dict(dyrelu=[_rule], options={{"train_cfg.max_epochs": 2}}))
        """)
    )
    assert (grid.name, grid.baseline, list(grid.cells)) == ("grid", "relu", ["relu", "b"])
    relu, b = grid.cells.values()
    assert relu.dyrelu is None
    assert relu.options["train_cfg.max_epochs"] == 1
    assert b.dyrelu == [dict(sites="backbone.*", act=dict(type="DyReLUB"))]
    assert b.options == {"train_cfg.max_epochs": 2, "randomness.seed": 5}  # the cell's come last


def test_a_matrix_pairs_rows_with_columns(write_grid):
    grid = load_grid(
        write_grid("""
        base = DEMO
        baseline = "x+n"
        axes = ("backbone", "head")
        rows = dict(x=[dict(a=1)], y=[])
        columns = dict(n=[], m=[dict(b=1), dict(b=2)])
        """)
    )
    assert list(grid.cells) == ["x+n", "x+m", "y+n", "y+m"]
    assert grid.cells["x+m"].dyrelu == [dict(a=1), dict(b=1), dict(b=2)]
    assert (grid.rows, grid.columns, grid.axes) == (("x", "y"), ("n", "m"), ("backbone", "head"))


def test_base_is_relative_to_the_grid(write_grid, tmp_path):
    (tmp_path / "own.py").write_text("model = dict()")
    grid = write_grid("base = 'own.py'\nbaseline = 'a'\ncells = dict(a={}, b=dict(config=DEMO))")
    assert [cell.config for cell in load_grid(grid).cells.values()] == [tmp_path / "own.py", DEMO]


def test_another_base_gives_another_name(write_grid, tmp_path):
    (tmp_path / "own.py").write_text("model = dict()")
    grid = load_grid(
        write_grid("base = DEMO\nbaseline = 'a'\ncells = dict(a={})"), tmp_path / "own.py"
    )
    assert grid.name == "grid-own"
    assert grid.cells["a"].config == tmp_path / "own.py"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base = DEMO\nbaseline = 'a'\ncels = dict(a={})", "unknown key 'cels'.*baseline"),
        ("base = DEMO\nbaseline = 'a'\ncells = dict(a=dict(rules=[]))", "cell a.*unknown key 'rul"),
        ("base = DEMO\nbaseline = 'b'\ncells = dict(a={})", "baseline 'b' is not one of its .*: a"),
        ("base = DEMO\ncells = dict(a={})", "baseline None is not one of its cells"),
        ("base = DEMO\nbaseline = 'a'\ncells = {}", "has no cells"),
        ("base = DEMO\nbaseline = ['a']\ncells = dict(a={})", r"baseline \['a'\] is not one of"),
        ("base = DEMO\nbaseline = 'a'\ncells = dict(a={})\ncurves = 3", "curves must be a list"),
        (
            "base = DEMO\nbaseline = 'a'\ncells = dict(a={})\nother_baselines = 'a'",
            "other_baselines must be a list of names, not 'a'",
        ),
        (
            "base = DEMO\nbaseline = 'a'\ncells = dict(a={})\noptions = [1]",
            r"options must be a dict of dotted keys, not \[1\]",
        ),
        (
            "base = DEMO\nbaseline = 'a+b'\nrows = dict(a=1)\ncolumns = dict(b=[])",
            "a must be a list of rules, not 1",
        ),
        ("base = 3\nbaseline = 'a'\ncells = dict(a={})", "a config must be a file's name, not 3"),
        ("base = DEMO\nbaseline = '1'\ncells = {'1': {}, 2: {}}", "2 cannot name a cell"),
        ("base = DEMO\nbaseline = 'a'", "either cells, or rows and columns"),
        ("base = DEMO\nbaseline = 'a'\nrows = dict(a=[])", "either cells, or rows and columns"),
        ("base = DEMO\nbaseline = 'a'\ncells = dict(a={})\nrows = {}\ncolumns = {}", "either cell"),
        ("base = DEMO\nbaseline = 'a'\ncells = ['a']", "cells must be a dict by name"),
        ("base = DEMO\nbaseline = 'a'\ncells = dict(a=1)", "cell a must be a dict, not 1"),
        (
            "base = DEMO\nbaseline = 'a'\ncells = dict(a=dict(options=[1]))",
            "options must be a dict",
        ),
        ("base = DEMO\nbaseline = 'a/b'\ncells = {'a/b': {}}", "'a/b' cannot name a cell"),
        ("baseline = 'a'\ncells = dict(a={})", "cell a has no config, and the grid no base"),
        ("base = 'no.py'\nbaseline = 'a'\ncells = dict(a={})", "cell a: config .*no.py does not"),
        (
            "base = DEMO\nbaseline = 'a'\naxes = ('x', 'y')\ncells = dict(a={})",
            "axes are two names",
        ),
        (
            "base = DEMO\nbaseline = 'a'\ncurves = ('b',)\ncells = dict(a={})",
            "curves are up to 6 of its cells, a, not b",
        ),
        (
            "base = DEMO\nbaseline = 'a'\nother_baselines = ('b',)\ncells = dict(a={})",
            "other_baselines have to be among its cells, a, not b",
        ),
    ],
)
def test_refusals_name_what_is_wrong(write_grid, text, message):
    with pytest.raises(GridError, match=message):
        load_grid(write_grid(text))


def test_a_grid_that_is_no_python_is_named(write_grid):
    with pytest.raises(UserError, match=r"config .*\.py: '\(' was never closed"):
        load_grid(write_grid("cells = ("))


def test_no_grid():
    with pytest.raises(GridError, match="grid nowhere.py does not exist"):
        load_grid("nowhere.py")
