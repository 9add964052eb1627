"""Results on COCO-mini: the study of gain from the runs of one grid, and the published model."""

import json
from pathlib import Path

from dyrelu_pose.ablation.grid import load_grid
from dyrelu_pose.ablation.results import by_cell, recorded_rows
from dyrelu_pose.ablation.table import format_difference, format_interval, summaries
from dyrelu_pose.paths import CONFIGS, ROOT, SHIPPED_CHECKPOINT, TWIN_CHECKPOINT
from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import NOT_RUN, RESULTS, device, devices, link, values

COCO_MINI = RESULTS / "coco_mini"
GRID = CONFIGS / "ablations/matrix.py"
STUDY = RESULTS / "ablations" / GRID.stem
NAMES = {"none": "ReLU6"}
LONGER = {
    "ReLU6": "mobilenetv2_128x96_lspet",
    "B in the backbone, C in the head (R 32)": "dyrelu_mobilenetv2_128x96_lspet",
    "the same, FC1 at 0.03 times the learning rate": "dyrelu_mobilenetv2_128x96_lspet_slow_fc1",
    "two-scale head: ReLU6": TWIN_CHECKPOINT.stem,
    "two-scale head: B in the backbone, C in the head (R 32)": SHIPPED_CHECKPOINT.stem,
}
NOTE = "written down by hand"


def coco_mini(page: Path) -> str:
    """Return the rows of the grid's curves, the ReLU6 twin first, and what they were run with."""
    grid, rows = load_grid(GRID), recorded_rows(STUDY)
    found = summaries(grid, rows)
    lines = [
        _line(page, name, rows, found.get(name), name == grid.baseline) for name in grid.curves
    ]
    header = (
        *("backbone", "head", "params", "multiply-adds", "COCO-mini AP (mean ± std)"),
        *("difference", "95 % interval", "AP50", "AP75", "AR", "seeds"),
    )
    return f"{markdown_table(header, lines)}\n\n{_made(page, rows)}"


def tried(page: Path) -> str:
    """Return what was tried before the recipe was frozen."""
    path = COCO_MINI / "tried_notes.csv"
    rows = read_csv(path)
    shown = [key for key in rows[0] if key not in ("training data", "versions", "command")]
    lines = [[{**row, "device": device(row)}[key] for key in shown] for row in rows]
    return f"{markdown_table(shown, lines)}\n\n{link(page, path)} was {NOTE}."


def longer(page: Path) -> str:
    """Return a row per model of a longer training, with LSP-extended; one seed."""
    lines = []
    for name, stem in LONGER.items():
        path = COCO_MINI / f"{stem}.json"
        record = json.loads(path.read_bytes())
        percent = {key: f"{100 * value:.1f}" for key, value in record["metrics"].items()}
        lines.append(
            [
                link(page, path, name),
                f"{record['parameters'] / 1e6:.1f}M",
                *(percent[f"coco/{key}"] for key in ("AP", "AP .5", "AP .75", "AR")),
                str(record["epochs"]),
                f"{device(record)}; {record['note']}",
            ]
        )
    header = ("activation", "params", "COCO-mini AP", "AP50", "AP75", "AR", "epochs", "run")
    return markdown_table(header, lines)


def hidden_units(page: Path) -> str:
    """Return how many hidden units are alive after training, a row per model, seed and part."""
    measured, noted = COCO_MINI / "hidden_units.csv", COCO_MINI / "hidden_units_notes.csv"
    lines = [
        [
            row["model"],
            row["seed"],
            row["part"],
            f"{100 * float(row['mean_alive']):.0f} %",
            f"{row['sites_none_alive']} of {row['sites']}",
            link(page, path, text),
        ]
        for path, text in ((measured, "measured"), (noted, NOTE))
        for row in read_csv(path)
    ]
    header = (
        *("model", "seed", "part", "units alive (mean over sites)", "sites with no unit alive"),
        "source",
    )
    first = read_csv(measured)[0]
    return (
        f"{markdown_table(header, lines)}\n\n"
        f"A unit is alive if it is above 0 for any of {first['images']} people of the validation "
        f"set. Measured on {device(first)}, {first['date']}; what was {NOTE} is of models whose "
        "weights were not kept."
    )


def model_card(page: Path) -> str:
    """Return the facts of the published model and of its twin, one a row, from their cards."""
    cards = [path.with_suffix(".json") for path in (SHIPPED_CHECKPOINT, TWIN_CHECKPOINT)]
    facts = [_facts(page, json.loads(card.read_bytes())) for card in cards]
    header = ("property", *(link(page, card, f"`{card.stem}`") for card in cards))
    return markdown_table(header, [[name, *(f[name] for f in facts)] for name in facts[0]])


def _facts(page: Path, card: dict) -> dict[str, str]:
    training = ROOT / card["training"]
    run = json.loads(training.read_bytes())
    ap = {key.removeprefix("coco/"): value * 100 for key, value in card["metrics"].items()}
    return {
        "COCO-mini AP": f"{ap['AP']:.1f}",
        "AP50, AP75": f"{ap['AP .5']:.1f}, {ap['AP .75']:.1f}",
        "AR": f"{ap['AR']:.1f}",
        "parameters": f"{card['parameters'] / 1e6:.1f}M",
        "multiply-adds": f"{card['multiply_adds'] / 1e6:.0f}M",
        "forward pass for one person": f"{card['latency_ms']:.1f} ms ({device(card)})",
        "file": f"{card['bytes'] / 1e6:.1f} MB, float16, weights only",
        "sha256": f"`{card['sha256']}`",
        "training": link(page, training, f"{run['epochs']} epochs, seed {run['seed']}")
        + f", {device(run)}, {run['date']}",
    }


def _line(page: Path, name: str, rows: list[dict], summary, baseline: bool) -> list[str]:
    parts = [NAMES.get(part, part) for part in name.split("+")]
    if summary is None:
        return [*parts, "", "", NOT_RUN, *[""] * 6]
    own = [row for row in rows if row["cell"] == name]
    means = []
    for figure in ("AP50", "AP75", "AR"):
        values = by_cell(rows, figure)[name].values()
        means.append(f"{sum(values) / len(values):.1f}")
    spread = "" if summary.std is None else f" ± {summary.std:.1f}"
    difference = "" if baseline else format_difference(summary.difference)
    interval = "" if baseline else format_interval(summary.interval)
    runs = {row["seed"]: STUDY / f"runs/{name}-seed{row['seed']}.json" for row in own}
    return [
        *parts,
        *(f"{own[0][key] / 1e6:.{digits}f}M" for key, digits in (("params", 1), ("MAdds", 0))),
        f"{summary.mean:.1f}{spread}",
        difference,
        interval,
        *means,
        " ".join(link(page, path, str(seed)) for seed, path in sorted(runs.items())),
    ]


def _made(page: Path, rows: list[dict]) -> str:
    hours = sum(row["seconds"] for row in rows) / 3600
    everything = link(page, STUDY / "table.md", f"{len(rows)} runs")
    return (
        f"{everything} of {values(rows, 'epochs')} epochs, {devices(rows)}, "
        f"{values(rows, 'date')}, {hours:.1f} hours in total. Differences are paired by seed; "
        "intervals are those of a paired t-test."
    )
