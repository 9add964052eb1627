"""Exported files: what they cost beside their ReLU twins, and the AP of the published model's."""

from pathlib import Path

from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import RESULTS, link, source


def deployed(page: Path) -> str:
    """Return a row per file."""
    path = RESULTS / "bench/onnx_cpu.csv"
    rows = read_csv(path)
    lines = [
        [
            row["model"],
            row["row"],
            row["operators"],
            f"{float(row['megabytes']):.0f} MB",
            f"{float(row['error']):.0e}",
            f"{float(row['median_ms']):.3g} ms",
            f"{float(row['times_relu']):.2f}x",
        ]
        for row in rows
    ]
    header = (
        *("config in `configs/coco_mini`", "activation", "operators", "file", "largest error"),
        *("one image", "to ReLU"),
    )
    first = rows[0]
    return (
        f"{markdown_table(header, lines)}\n\n"
        f"{link(page, path)}: ONNX Runtime, CPU, {first['device']}, {first['threads']} thread(s), "
        f"median of {first['repeats']}, {first['date']}, by `{first['command']}`. The error is "
        f"relative to the largest value of the output, on {first['persons']} validation persons."
    )


def deployed_ap(page: Path) -> str:
    """Return the AP of the published model's files."""
    path = RESULTS / "coco_mini/onnx.csv"
    rows = read_csv(path)
    lines = [
        [row["file"], *(f"{100 * float(row[key]):.1f}" for key in ("AP", "AP .5", "AP .75", "AR"))]
        for row in rows
    ]
    header = ("file of the published model", "COCO-mini AP", "AP50", "AP75", "AR")
    return f"{markdown_table(header, lines)}\n\n{source(page, path, rows[0])}"
