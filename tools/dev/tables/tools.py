"""What each tool does, as its docstring says."""

from dyrelu_pose.__main__ import summary
from dyrelu_pose.__main__ import tools as users_tools
from dyrelu_pose.paths import TOOLS

from .read import table


def tools() -> str:
    """Return a row per tool that `python -m dyrelu_pose` runs."""
    rows = [[f"`{name}`", summary(path)] for name, path in users_tools().items()]
    return table("tool | what it does", rows)


def dev_tools() -> str:
    """Return a row per tool of those who change the project."""
    paths = sorted((TOOLS / "dev").glob("*.py"))
    return table("tool | what it does", [[f"`tools/dev/{p.name}`", summary(p)] for p in paths])
