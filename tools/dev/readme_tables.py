"""Write the tables of the pages from results/: `python tools/dev/readme_tables.py`.

A page shows a table between `<!-- table NAME -->` and `<!-- end -->`; NAME is a function of
tools/dev/tables/. With `--check` nothing is written, and the exit status says whether the pages are
up to date.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import tables

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import ROOT
from dyrelu_pose.records.files import write_text

PAGES = ("README.md", "checkpoints/README.md", "results/README.md", "docs/*.md")
TABLES = {name: getattr(tables, name) for name in tables.__all__}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write the tables of the pages from results/")
    parser.add_argument("--check", action="store_true", help="only say whether they are up to date")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write or check the pages."""
    args = parse_args(argv)
    shown: set[str] = set()
    for page in (page for pattern in PAGES for page in sorted(ROOT.glob(pattern))):
        before = page.read_text(encoding="utf-8")
        text, names = render(page, before)
        shown |= names
        if not args.check and text != before:
            write_text(page, text)
        elif text != before:
            raise UserError(f"{page.relative_to(ROOT)} is out of date: run this script")
    if left_out := TABLES.keys() - shown:
        raise UserError(f"no page has a '<!-- table {min(left_out)} -->' block")


def render(page: Path, text: str) -> tuple[str, set[str]]:
    """Return a page with its `<!-- table NAME -->` blocks made anew, and their names."""
    names = set(re.findall(r"<!-- table (\w+) -->", text))
    if unknown := names - TABLES.keys():
        raise UserError(f"there is no table {min(unknown)}: {', '.join(TABLES)}")
    for name in names:
        block = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        made = TABLES[name](page)
        text = re.sub(block, lambda m, t=made: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL)
    return text, names


if __name__ == "__main__":
    with user_errors():
        main()
