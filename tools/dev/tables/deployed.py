"""Exported files: what they cost beside their ReLU twins, and the AP of the published model's."""

from .read import RESULTS, read_csv, table


def deployed() -> str:
    """Return a row per file."""
    rows = read_csv(RESULTS / "bench/onnx_cpu.csv")
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
        "config in `configs/coco_mini` | activation | operators | file | largest error | one image "
        "| to ReLU"
    )
    first = rows[0]
    return (
        f"{table(header, lines)}\n\n"
        f"ONNX Runtime, CPU, {first['device']}, {first['threads']} thread(s), median of "
        f"{first['repeats']}, {first['date']}: `{first['command']}`. The error is relative to the "
        f"largest value of the output, on {first['persons']} validation persons."
    )


def deployed_ap() -> str:
    """Return the AP of the published model's files."""
    lines = [
        [row["file"], *(f"{100 * float(row[key]):.1f}" for key in ("AP", "AP .5", "AP .75", "AR"))]
        for row in read_csv(RESULTS / "coco_mini/onnx.csv")
    ]
    return table("file of the published model | COCO-mini AP | AP50 | AP75 | AR", lines)
