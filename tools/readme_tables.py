"""Write the result tables of README.md from the files in results/: `python tools/readme_tables.py`.

With `--check` nothing is written, and the exit status says whether the README is up to date.
"""

import argparse
import re
import sys

from tables import coco_mini, complexity, coverage, imagenet_cost, loader, speed_model, speed_op
from tables.read import ROOT

TABLES = {
    function.__name__: function
    for function in (coco_mini, complexity, coverage, imagenet_cost, speed_op, speed_model, loader)
}


def render(text: str) -> str:
    """Return the README with each `<!-- table NAME -->` block made anew."""
    for name, table in TABLES.items():
        block = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(
            block, lambda m, t=table: f"{m[1]}{t()}\n{m[2]}", text, flags=re.DOTALL
        )
        if count != 1:
            sys.exit(f"README.md must hold one '<!-- table {name} -->' block, found {count}")
    return text


def main() -> None:
    """Write or check the README."""
    parser = argparse.ArgumentParser(description="Write the tables of README.md from results/")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    args = parser.parse_args()
    readme = ROOT / "README.md"
    text = render(readme.read_text())
    if args.check:
        sys.exit(0 if text == readme.read_text() else "README.md is out of date: run this script")
    readme.write_text(text)


if __name__ == "__main__":
    main()
