"""The table of an ablation, in Markdown."""

from collections.abc import Iterable, Sequence

from dyrelu_pose.errors import plural
from dyrelu_pose.records.tables import markdown_table

from .grid import Grid
from .results import FAILED, FINISHED, by_cell
from .runs import NLL
from .significance import SEEDS_TO_TEST, Summary, summarize

MISSING = "not run"


def format_table(grid: Grid, rows: Sequence[dict]) -> str:
    """Return the table of a grid: figures in per cent, means over seeds.

    Args:
        grid: The grid.
        rows: Rows of `results.rows_of`.
    """
    data = data_of(rows)
    sections = [_cells(grid, rows, data)]
    if grid.rows:
        sections.append(_matrix(grid, rows, data))
    finished = summaries(grid, rows)
    sections += [_against(grid, rows, other) for other in grid.other_baselines if other in finished]
    if any(row[NLL] != "" for row in rows):
        sections.append(_losses(grid, rows))
    sections.append(_notes(rows))
    return "\n\n".join(sections) + "\n"


def data_of(rows: Iterable[dict]) -> str:
    """Return the names of the validation sets of rows, or of records."""
    return ", ".join(dict.fromkeys(row["data"] for row in rows if row["data"]))


def summaries(
    grid: Grid, rows: Iterable[dict], figure: str = "AP", scale: float = 100
) -> dict[str, Summary]:
    """Return what a figure of each cell that has a finished run comes to, in the grid's order."""
    values = by_cell(rows, figure, scale)
    baseline = values.get(grid.baseline, {})
    return {name: summarize(values[name], baseline) for name in grid.cells if name in values}


def _cells(grid: Grid, rows: Sequence[dict], data: str) -> str:
    """Return the AP of each cell, its difference to the baseline, and what it costs."""
    header = [
        "cell", f"{data} AP".strip(), "std", "difference", "95 % interval", "p", "AP50", "AP75",
        "AR", "params", "MAdds", "seeds",
    ]  # fmt: skip
    found = summaries(grid, rows)
    others = {figure: by_cell(rows, figure) for figure in ("AP50", "AP75", "AR")}
    lines = []
    for name in grid.cells:
        own = [row for row in rows if row["cell"] == name]
        label = f"{name} (baseline)" if name == grid.baseline else name
        if name not in found:
            failed = any(row["status"] == FAILED for row in own)
            lines.append([label, FAILED if failed else MISSING, *[""] * (len(header) - 2)])
            continue
        summary = found[name]
        lines.append([
            label,
            f"{summary.mean:.1f}",
            _number(summary.std, ".2f"),
            "" if name == grid.baseline else format_difference(summary.difference),
            "" if name == grid.baseline else format_interval(summary.interval),
            "" if name == grid.baseline else _number(summary.p, ".3f"),
            *(f"{_mean(values[name]):.1f}" for values in others.values()),
            *(_millions(own, column) for column in ("params", "MAdds")),
            str(summary.seeds),
        ])  # fmt: skip
    return markdown_table(header, lines)


def _matrix(grid: Grid, rows: Sequence[dict], data: str) -> str:
    """Return the AP of each pair of a row and a column."""
    found = summaries(grid, rows)

    def cell(name: str) -> str:
        return format_mean(found[name], name, grid) if name in found else MISSING

    row_axis, column_axis = grid.axes
    corner = f"{data} AP, {row_axis} \\ {column_axis}".lstrip()
    header = [corner, *grid.columns]
    lines = [[row, *(cell(f"{row}+{column}") for column in grid.columns)] for row in grid.rows]
    return markdown_table(header, lines)


def _against(grid: Grid, rows: Sequence[dict], other: str) -> str:
    """Return the differences to another cell than the baseline."""
    values = by_cell(rows, "AP")
    header = ["cell", f"AP, difference to {other}", "95 % interval", "p"]
    lines = []
    for name in grid.cells:
        if name in values and name != other:
            summary = summarize(values[name], values.get(other, {}))
            lines.append([
                name,
                format_difference(summary.difference),
                format_interval(summary.interval),
                _number(summary.p, ".3f"),
            ])  # fmt: skip
    return markdown_table(header, lines)


def _losses(grid: Grid, rows: Sequence[dict]) -> str:
    """Return losses, and the time of a step where it is known, of the cells with the former."""
    header = [
        "cell", "training loss, last epoch", "validation NLL of the heatmaps", "difference",
        "95 % interval", "of seeds", "ms per step",
    ]  # fmt: skip
    losses, likelihoods, steps = (
        by_cell(rows, column, scale)
        for column, scale in (("loss", 1), (NLL, 1), ("step_seconds", 1000))
    )
    lines = []
    for name, summary in summaries(grid, rows, NLL, 1).items():
        other = name != grid.baseline
        lines.append([
            name,
            f"{_mean(losses[name]):.3f}",
            f"{summary.mean:.3f}",
            format_difference(summary.difference, 3) if other else "",
            format_interval(summary.interval, 3) if other else "",
            ", ".join(f"{value:.3f}" for value in likelihoods[name].values()),
            f"{_mean(steps[name]):.0f}" if name in steps else "",
        ])  # fmt: skip
    return markdown_table(header, lines)


def _notes(rows: Sequence[dict]) -> str:
    finished = [row for row in rows if row["status"] == FINISHED]
    failed = len(rows) - len(finished)
    facts = {
        column: list(dict.fromkeys(str(row[column]) for row in finished))
        for column in ("epochs", "device", "revision", "date", "command")
    }
    epochs, devices, revisions, dates, used = (" / ".join(values) for values in facts.values())
    return (
        "AP after the last epoch, in per cent; mean and sample standard deviation over seeds; "
        "difference to the baseline over the seeds that both have; confidence interval and p of a "
        f"paired t-test over them, with {SEEDS_TO_TEST} or more, not corrected for the number of "
        "cells. "
        "With one seed a difference cannot be told from noise.\n\n"
        f"{len(finished)} runs finished, {failed} failed. {epochs} epochs, {devices}, revision "
        f"{revisions}, {dates}: `{used}`"
    )


def _mean(values: dict[int, float]) -> float:
    return sum(values.values()) / len(values)


def _millions(rows: Sequence[dict], column: str) -> str:
    return next(f"{row[column] / 1e6:.2f}M" for row in rows if row["status"] == FINISHED)


def format_mean(summary: Summary, name: str, grid: Grid, gap: str = " ") -> str:
    """Return the mean of a cell and, in brackets, its difference to the baseline, if it has one."""
    if name == grid.baseline or summary.difference is None:
        return f"{summary.mean:.1f}"
    return f"{summary.mean:.1f}{gap}({format_difference(summary.difference)})"


def format_difference(value: float | None, digits: int = 1) -> str:
    """Return a difference with its sign, zero as +0.0, or nothing where there is none."""
    return "" if value is None else f"{round(value, digits) + 0.0:+.{digits}f}"


def format_interval(interval: tuple[float, float] | None, digits: int = 1) -> str:
    """Return a confidence interval with signs, or nothing where there is none."""
    return "" if interval is None else " to ".join(format_difference(v, digits) for v in interval)


def format_record(grid: Grid, rows: Sequence[dict]) -> str:
    """Return the difference of each cell of recorded rows to the baseline, a line each."""
    lines = []
    for name, found in summaries(grid, rows).items():
        if name != grid.baseline:
            over = f"{format_difference(found.difference)} {data_of(rows)} AP over {grid.baseline}"
            interval = format_interval(found.interval)
            sure = f"95 % interval {interval}, " if interval else ""
            seeds = plural(found.seeds, "seed")
            lines.append(f"recorded: {name} {over}, {sure}{seeds}")
    return "\n".join(lines)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
