"""Parameters, multiply-adds and activation memory, without any training."""

from .read import RESULTS, read_csv, table

COMPLEXITY = RESULTS / "complexity"
MIB = 2**20


def complexity() -> str:
    """Return what DyReLU adds to each model."""
    rows = []
    for row in read_csv(COMPLEXITY / "models.csv"):
        if not row["baseline"]:
            twin = row
            continue
        millions = [
            _change(row, twin, name, 1e6, unit)
            for name, unit in (("params", ".2f"), ("madds", ".0f"))
        ]
        kept = _change(row, twin, "activations", MIB, ".0f")
        rows.append([f"`{row['model']}`", row["input"], *millions, kept])
    return table(
        "config | input (HxW) | parameters (M), ReLU twin -> DyReLU | multiply-adds (M) "
        "| kept for backward (MiB per image)",
        rows,
    )


def imagenet_cost() -> str:
    """Return the placements in MobileNetV2 whose cost is nearest to the one reported for it."""
    rows = read_csv(COMPLEXITY / "imagenet_mobilenetv2.csv")[:4]
    plain = rows[0]
    return table(
        "DyReLU-B at | R | parameters | multiply-adds",
        [
            ["reported (second-hand)", "", "3.5M -> 7.5M", "300M -> 315.5M"],
            *(
                [
                    f"{row['placement']} ({row['sites']} sites)",
                    row["reduction"],
                    f"{float(plain['plain_params']):.2f}M -> {float(row['params']):.2f}M",
                    f"{float(plain['plain_madds']):.1f}M -> {float(row['madds']):.1f}M",
                ]
                for row in rows
            ),
        ],
    )


def _change(row: dict[str, str], twin: dict[str, str], name: str, unit: float, digits: str) -> str:
    before, after = (format(int(r[name]) / unit, digits) for r in (twin, row))
    return f"{before} -> {after} ({float(row[f'{name}_more_percent']):+.1f} %)"
