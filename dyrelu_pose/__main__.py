"""Run a tool from anywhere: `python -m dyrelu_pose TOOL ...` is `python tools/TOOL.py ...`.

Configs and checkpoints may be named as in a checkout, `configs/dyrelu_hrnet.py`, and configs as in
`_base_` of one of your own, `dyrelu_pose::dyrelu_hrnet.py`. On several devices:

    torchrun --nproc_per_node=4 -m dyrelu_pose train CONFIG --launcher pytorch
"""

import argparse
import ast
import difflib
import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from .config.names import SCOPE, config_path
from .errors import UserError, user_errors
from .paths import CHECKPOINTS, CONFIGS, ROOT, TOOLS


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    width = max(map(len, tools()))
    listed = "\n".join(f"  {name.ljust(width)}  {summary(path)}" for name, path in tools().items())
    parser = argparse.ArgumentParser(
        prog="python -m dyrelu_pose",
        description=__doc__,
        epilog=f"tools, each with its own --help:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tool", metavar="TOOL", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the tool is given")
    return parser.parse_args(argv)


def tools() -> dict[str, Path]:
    """Return the files of the tools by their names, such as `list-sites`."""
    return {path.stem.replace("_", "-"): path for path in sorted(TOOLS.glob("*.py"))}


def summary(path: Path) -> str:
    """Return what a tool does: the first line of its docstring, without the command in it."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r": `|[.:]? *$", docstring.partition("\n")[0])[0]


def argument(text: str) -> str:
    """Return an argument of a tool, with its path if it names a file of this project."""
    if text.startswith(SCOPE):
        return str(config_path(text))
    path = ROOT / text
    is_ours = path.is_file() and any(folder in path.parents for folder in (CHECKPOINTS, CONFIGS))
    return str(path) if is_ours and not Path(text).exists() else text


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool in this process.

    Raises:
        UserError: There is no such tool, or config.
    """
    args = parse_args(argv)
    name = args.tool.replace("_", "-").removesuffix(".py")
    if name not in tools():
        close = difflib.get_close_matches(name, tools(), n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(tools())}"
        raise UserError(f"there is no tool {args.tool}; {hint}")
    path = str(tools()[name])
    sys.path.insert(0, str(TOOLS))  # as for a script, whose folder comes first
    sys.argv = [path, *map(argument, args.arguments)]
    runpy.run_path(path, run_name="__main__")


if __name__ == "__main__":
    with user_errors():
        main()
