"""The page of the tools: what each does, as its docstring says."""

from pathlib import Path

from dyrelu_pose.__main__ import summary
from dyrelu_pose.__main__ import tools as users_tools
from dyrelu_pose.paths import TOOLS
from dyrelu_pose.records.tables import markdown_table

from .page import link

HEADER = ("tool", "what it does")


def tools(page: Path) -> str:
    """Return a row per tool that `python -m dyrelu_pose` runs."""
    rows = [(link(page, path, f"`{name}`"), summary(path)) for name, path in users_tools().items()]
    return markdown_table(HEADER, rows)


def dev_tools(page: Path) -> str:
    """Return a row per tool of those who change the project."""
    paths = sorted((TOOLS / "dev").glob("*.py"))
    rows = [(link(page, path, f"`tools/dev/{path.name}`"), summary(path)) for path in paths]
    return markdown_table(HEADER, rows)
