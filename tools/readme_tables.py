"""Write the result tables of README.md from the files in results/: `python tools/readme_tables.py`.

With `--check` nothing is written, and the exit status says whether the README is up to date.
"""

import argparse
import csv
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BENCH = ROOT / "results/bench"
METRICS = ("AP", "AP .5", "AP .75", "AR")
NOT_RUN = "not run"


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


def speed_op() -> str:
    """Return the times of single activations: forward and backward at 64x96x32x24."""
    cpu, cuda = ({name: _op_rows(device, name) for name in ("NCHW", "channels_last")}
                 for device in ("cpu", "cuda"))  # fmt: skip
    lines = [
        "| forward + backward, 64x96x32x24 | CPU, NCHW | CPU, channels_last | kept for backward "
        "| GPU, bfloat16, channels_last |",
        "| --- " * 5 + "|",
    ]
    for name in dict.fromkeys((*cpu["NCHW"], *cpu["channels_last"], *cuda["channels_last"])):
        rows = [cpu["NCHW"].get(name), cpu["channels_last"].get(name)]
        gpu = cuda["channels_last"].get(name)
        kept = next(_maps(row) for row in (*rows, gpu) if row)
        cells = [name, *map(_time, rows), kept, _time(gpu)]
        lines.append(f"| {' | '.join(cells)} |")
    charts = [
        f"![Time against size of the map]({chart.relative_to(ROOT)})"
        for chart in sorted(BENCH.glob("op_*.png"))
    ]
    return "\n".join([*lines, "", _devices("op"), *charts])


def _op_rows(device: str, memory_format: str) -> dict[str, dict[str, str]]:
    wanted = dict(
        shape="64x96x32x24",
        dtype="float32" if device == "cpu" else "bfloat16",
        memory_format=memory_format,
        what="forward + backward",
    )
    return {
        row["row"]: row
        for row in _read(f"op_{device}")
        if all(row[column] == value for column, value in wanted.items())
    }


def _time(row: dict[str, str] | None) -> str:
    if row is None:
        return NOT_RUN
    return f"{float(row['median_ms']):.3g} ms ({float(row['times_baseline']):.1f}x)"


def _maps(row: dict[str, str]) -> str:
    return f"{int(row['kept_bytes']) / int(row['input_bytes']):.1f} maps"


def speed_model() -> str:
    """Return the cost of DyReLU in whole models, as ratios to their ReLU twins."""
    lines = ["| model | activation | device | training step | peak memory | inference |"]
    lines.append("| --- " * 6 + "|")
    for device, label in (("cpu", "CPU"), ("cuda", "GPU")):
        found = {}
        for record in _read(f"model_{device}"):
            found.setdefault((record["case"], record["row"]), []).append(record)
        for (model, name), (step, *inference) in found.items():
            if name == "ReLU":
                cells = [f"{float(step['median_ms']):.0f} ms (batch {step['batch']})"]
                cells.append(f"{int(step['peak_bytes']) / 2**20:.0f} MiB")
                cells.append(" / ".join(f"{float(r['median_ms']):.3g} ms" for r in inference))
                cells[-1] += f" (batch {' / '.join(r['batch'] for r in inference)})"
            else:
                cells = [f"{float(step[key]):.2f}x" for key in ("times_relu", "peak_times_relu")]
                cells.append(" / ".join(f"{float(r['times_relu']):.2f}x" for r in inference))
            lines.append(f"| {' | '.join([model, name, label, *cells])} |")
        if not found:
            lines.append(f"| all | all | {label} | {' | '.join([NOT_RUN] * 3)} |")
    return "\n".join([*lines, "", _devices("model")])


def loader() -> str:
    """Return what reading crops instead of whole images does to a training loader."""
    record = json.loads((BENCH / "loader.json").read_text())
    lines = ["| training loader reads | images per second | training files |", "| --- " * 3 + "|"]
    for key, label in (("original", "whole images"), ("crops", "crops of persons")):
        rate, size = record["images_per_second"][key]["median"], record["train_megabytes"][key]
        ratio = "" if key == "original" else f" ({record['ratio']:.1f}x)"
        lines.append(f"| {label} | {rate:.0f}{ratio} | {size:.0f} MB |")
    furthest = max(split["keypoints_max"] for split in record["agreement"].values())
    return "\n".join([
        *lines,
        "",
        f"`{record['config']}` on {record['device']}. Keypoints of all samples agree within "
        f"{furthest:.1g} pixels. Same AP after training: {NOT_RUN}.",
    ])  # fmt: skip


def _devices(name: str) -> str:
    """Say where the figures of a benchmark come from."""
    parts = []
    for device, label in (("cpu", "CPU"), ("cuda", "GPU")):
        rows = _read(f"{name}_{device}")
        if rows:
            last = rows[-1]
            torch = re.search(r"torch [^,]+", last["versions"])[0]
            threads = f", {last['threads']} thread(s)" if device == "cpu" else ""
            parts.append(f"{label}: {last['device']}{threads}, {torch}, {last['date']}.")
        else:
            parts.append(f"{label}: {NOT_RUN}.")
    return " ".join(parts)


def _read(name: str) -> list[dict[str, str]]:
    path = BENCH / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


TABLES = dict(coco_mini=coco_mini, speed_op=speed_op, speed_model=speed_model, loader=loader)


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
