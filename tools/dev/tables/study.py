"""Where DyReLU gains: grids on small networks, of drawn people and of people in photographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dyrelu_pose.ablation.grid import Grid, load_grid
from dyrelu_pose.ablation.results import recorded_rows
from dyrelu_pose.ablation.table import data_of, format_difference, format_interval, summaries
from dyrelu_pose.errors import plural
from dyrelu_pose.paths import CONFIGS
from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import NOT_RUN, RESULTS, device, devices, link, values

RECIPE = "study_recipe"
STEPS = tuple(RESULTS / "bench" / name for name in ("steps.csv", "gpu/steps_cuda.csv"))
DATA = {"drawn": "drawn people", "demo": "drawn people (demo)"}  # what records name differently


class Study(NamedTuple):
    """A grid that was run, or is to be.

    Attributes:
        network: What was trained.
        cell: The row that carries the claim.
        grid: Stem of the grid.
        base: Stem of the config in configs/study/ that takes the place of the grid's own.
    """

    network: str
    cell: str
    grid: str
    base: str | None = None

    def load(self) -> tuple[Grid, Path, list[dict]]:
        """Return the grid, the folder of its results, and what is recorded there."""
        base = CONFIGS / f"study/{self.base}.py" if self.base else None
        grid = load_grid(CONFIGS / f"ablations/{self.grid}.py", base)
        folder = RESULTS / "ablations" / grid.name
        return grid, folder, recorded_rows(folder)


STUDIES = (
    Study("ResNet-18, 8 channels, 96x64, 40,000 people", "C", "study_resnet18"),
    Study("ResNet-18, 8 channels, 96x64, 8,400 people", "C", "demo"),
    Study(
        "ResNet-18, 8 channels, 128x96, 10,447 people",
        "C-flat1",
        "study_resnet18",
        "resnet18-8_real",
    ),
    Study("ResNet-18, 16 channels, 128x96", "C", "study_resnet18", "resnet18-16_real"),
    Study("MobileNetV2 x0.25, 96x64, 40,000 people", "C", "study_mobilenetv2"),
    Study("MobileNetV2 x0.25, 128x96", "C", "study_mobilenetv2", "mobilenetv2-x025_real"),
    Study("MobileNetV2 x1.0, pretrained on ImageNet, 128x96, 4,447 people", "B+C", "matrix"),
)


def gain(page: Path) -> str:
    """Return a row per study: the twin, the row that carries the claim, and the difference."""
    header = (
        *("network", "data", "epochs", "activation", "AP, ReLU", "AP, DyReLU"),
        *("difference", "95 % interval", "seeds"),
    )
    lines = []
    for study in STUDIES:
        grid, folder, rows = study.load()
        found = summaries(grid, rows)
        if study.cell not in found or grid.baseline not in found:
            lines.append([study.network, "", "", study.cell, NOT_RUN, *[""] * 4])
            continue
        ours = found[study.cell]
        lines.append(
            [
                study.network,
                _data(rows),
                str(rows[0]["epochs"]),
                study.cell,
                f"{found[grid.baseline].mean:.1f}",
                f"{ours.mean:.1f}",
                format_difference(ours.difference),
                format_interval(ours.interval),
                link(page, folder / "table.md", str(ours.seeds)),
            ]
        )
    note = (
        "C: DyReLU-C in the backbone. C-flat1: the same with gamma 1 and cap 3, so that it starts "
        "as ReLU. B+C: B in the backbone and C in the head, trained before hyper functions had "
        "their own learning rate. Differences are paired by seed."
    )
    return f"{markdown_table(header, lines)}\n\n{note}"


def gain_cells(page: Path) -> str:
    """Return all cells that were run of every study but the old one, the twin first."""
    parts = []
    steps = [{(row["grid"], row["cell"]): row for row in read_csv(path)} for path in STEPS]
    for study in STUDIES[:-1]:
        grid, folder, rows = study.load()
        if rows:
            timed = [of for of in steps if (grid.name, grid.baseline) in of]
            header = (
                *("activation", "params", "multiply-adds"),
                *("step time", "step time on a GPU")[: len(timed)],
                *("AP (mean ± std)", "difference", "95 % interval"),
                *("heatmap NLL, difference", "95 % interval", "seeds"),
            )
            lines = [
                _line(page, folder, grid, rows, name, [of.get((grid.name, name)) for of in timed])
                for name in summaries(grid, rows)
            ]
            made = f"{devices(rows)}, {values(rows, 'date')}"
            counted = plural(len(rows), "run")
            parts += [
                f"**{study.network}**, AP on {_data(rows)} after {rows[0]['epochs']} epochs:",
                markdown_table(header, lines),
                f"{link(page, folder / 'table.md', counted)}, {made}. Differences "
                f"from {grid.baseline} are paired by seed; intervals are those of a paired t-test.",
            ]
    sources = (
        f"{link(page, path)}: {values(of.values(), 'device')}, {values(of.values(), 'date')}"
        for path, of in zip(STEPS, steps, strict=True)
    )
    parts.append(
        "Step time: time of a training step without data loading, relative to the first row; on "
        f"one thread of a CPU, and from a CUDA graph on a GPU ({'; '.join(sources)})."
    )
    return "\n\n".join(parts)


def study_recipe(page: Path) -> str:
    """Return what the study's rate and batch were chosen by: ReLU, half the epochs."""
    grid, folder, rows = Study("", "", RECIPE).load()
    own = {row["cell"]: row for row in rows}
    lines = [
        [
            name.replace("-batch", ", batch "),
            f"{row['loss']:.3f}",
            f"{row['NLL']:.3f}",
            f"{100 * row['AP']:.1f}",
        ]
        for name, row in ((name, own[name]) for name in grid.cells if name in own)
    ]
    header = ("learning rate", "training loss", "heatmap NLL", f"AP on {_data(rows)}")
    made = f"{rows[0]['epochs']} epochs, seed {rows[0]['seed']}, {device(rows[0])}"
    return f"{markdown_table(header, lines)}\n\n{link(page, folder / 'table.md')}: {made}."


def _data(rows: Sequence[dict]) -> str:
    return DATA.get(data_of(rows), data_of(rows))


def _line(
    page: Path,
    folder: Path,
    grid: Grid,
    rows: Sequence[dict],
    name: str,
    steps: Sequence[dict | None],
) -> list[str]:
    ap, nll = summaries(grid, rows)[name], summaries(grid, rows, "NLL", 1)[name]
    own = [row for row in rows if row["cell"] == name]
    runs = {row["seed"]: folder / f"runs/{name}-seed{row['seed']}.json" for row in own}
    spread = "" if ap.std is None else f" ± {ap.std:.1f}"
    differences = (
        format_difference(ap.difference),
        format_interval(ap.interval),
        format_difference(nll.difference, 3),
        format_interval(nll.interval, 3),
    )
    return [
        name,
        *(f"{own[0][key] / 1e6:.2f}M" for key in ("params", "MAdds")),
        *(f"{float(step['times_baseline']):.2f}x" if step else NOT_RUN for step in steps),
        f"{ap.mean:.1f}{spread}",
        *(differences if name != grid.baseline else [""] * 4),
        " ".join(link(page, path, str(seed)) for seed, path in sorted(runs.items())),
    ]
