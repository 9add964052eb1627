"""Write the tables of the pages from results/: `python tools/dev/readme_tables.py`.

With `--check` nothing is written, and the exit status says whether the pages are up to date.
"""

import argparse
import re
import sys

import tables
from tables.read import ROOT

PAGES = (
    *("README.md", "checkpoints/README.md", "results/README.md"),
    *("docs/deploy.md", "docs/distributed.md", "docs/scale.md", "docs/speed.md"),
    *("docs/tools.md", "docs/trust.md", "docs/your-config.md"),
)
TABLES = {name: getattr(tables, name) for name in tables.__all__}


def render(text: str) -> tuple[str, set[str]]:
    """Return a page with its `<!-- table NAME -->` blocks made anew, and their names."""
    names = set(re.findall(r"<!-- table (\w+) -->", text))
    if unknown := names - TABLES.keys():
        sys.exit(f"there is no table {min(unknown)}: {', '.join(TABLES)}")
    for name in names:
        block = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        made = TABLES[name]()
        text = re.sub(block, lambda m, t=made: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL)
    return text, names


def main() -> None:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description="Write the tables of the pages from results/")
    parser.add_argument("--check", action="store_true", help="only say whether they are up to date")
    args = parser.parse_args()
    shown: set[str] = set()
    for path in (ROOT / page for page in PAGES):
        before = path.read_text()
        text, names = render(before)
        shown |= names
        if not args.check:
            path.write_text(text)
        elif text != before:
            sys.exit(f"{path.relative_to(ROOT)} is out of date: run this script")
    if left_out := TABLES.keys() - shown:
        sys.exit(f"no page has a '<!-- table {min(left_out)} -->' block")


if __name__ == "__main__":
    main()
