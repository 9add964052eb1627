"""Write the result tables of README.md from the files in results/: `python tools/readme_tables.py`.

With `--check` nothing is written, and the exit status says whether the README is up to date.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
METRICS = ("AP", "AP .5", "AP .75", "AR")


def coco_mini() -> str:
    """Return the table of the runs on COCO-mini, each DyReLU row below its ReLU twin."""
    records = [json.loads(path.read_text()) for path in (ROOT / "results/coco_mini").glob("*.json")]
    records.sort(key=lambda r: (r["name"].removeprefix("dyrelu_"), r["name"].startswith("dyrelu_")))
    lines = [
        "| config | activation | params | COCO-mini AP | AP50 | AP75 | AR "
        "| epochs | seed | device |",
        "| --- " * 10 + "|",
    ]
    for record in records:
        values = [f"{100 * record['metrics'][f'coco/{name}']:.1f}" for name in METRICS]
        activation = "B backbone, C head" if record["name"].startswith("dyrelu_") else "ReLU6"
        cells = [
            f"[{record['name']}]({record['config']})",
            activation,
            f"{record['parameters'] / 1e6:.1f}M",
            *values,
            str(record["epochs"]),
            str(record["seed"]),
            record["device"],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


TABLES = {"coco_mini": coco_mini}


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
