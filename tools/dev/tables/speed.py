"""What DyReLU costs: times of activations, models and the loader; parameters, multiply-adds."""

import json
from pathlib import Path

from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import NOT_RUN, RESULTS, link, source, threads, values

BENCH, COMPLEXITY = RESULTS / "bench", RESULTS / "complexity"
MIB = 2**20
OP = ("64x96x32x24", "float32", "forward + backward")  # that single activations are compared in


def speed_op(page: Path) -> str:
    """Return the times of single activations on a CPU: forward and backward on one map."""
    formats = ("NCHW", "channels_last")
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in bench("op_cpu"):
        if (row["shape"], row["dtype"], row["what"]) == OP:
            found.setdefault(row["row"], {})[row["memory_format"]] = row
    families = list(dict.fromkeys(map(_family, found)))  # beside each other, whenever timed
    lines = [
        [name, *(_time(of.get(each)) for each in formats), maps(next(iter(of.values())))]
        for name, of in sorted(found.items(), key=lambda item: families.index(_family(item[0])))
    ]
    shape, _, what = OP
    header = (f"{what}, {shape}", *formats, "kept for backward")
    return f"{markdown_table(header, lines)}\n\n{made(page, 'op_cpu')}"


def _family(name: str) -> str:
    """Return the name of a row without its backend, or whatever comes last."""
    return name.rpartition(" ")[0]


def _time(row: dict[str, str] | None) -> str:
    if row is None:
        return NOT_RUN
    return f"{float(row['median_ms']):.3g} ms ({float(row['times_baseline']):.1f}x)"


def maps(row: dict[str, str], column: str = "kept_bytes") -> str:
    """Return a size in memory in multiples of the map that it is of."""
    return f"{int(row[column]) / int(row['input_bytes']):.1f} maps"


def speed_model(page: Path) -> str:
    """Return the cost of DyReLU in whole models on a CPU, as ratios to their ReLU twins."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for record in bench("model_cpu"):
        found.setdefault((record["case"], record["row"]), []).append(record)
    lines = []
    for (model, name), records in found.items():
        step = records[0]
        inference = [record for record in records if record["what"] == "inference"]
        if name == "ReLU":
            cells = [f"{float(step['median_ms']):.0f} ms (batch {step['batch']})"]
            cells.append(f"{int(step['peak_bytes']) / MIB:.0f} MiB")
            cells.append(" / ".join(f"{float(r['median_ms']):.3g} ms" for r in inference))
            cells[-1] += f" (batch {' / '.join(r['batch'] for r in inference)})"
        else:
            cells = [f"{_times(step)} ({_times(step, 'processor_times_relu')})"]
            cells.append(_times(step, "peak_times_relu"))
            cells.append(" / ".join(map(_times, inference)))
        lines.append([model, name, *cells])
    header = (
        *("model", "activation", "training step (processor time)"),
        *("peak memory", "inference"),
    )
    return f"{markdown_table(header, lines)}\n\n{made(page, 'model_cpu')}"


def speed_fused(page: Path) -> str:
    """Return what folding norms does to training steps of the study's networks on a CPU."""
    rows = {(row["grid"], row["cell"]): row for row in bench("steps")}
    lines = []
    for (grid, cell), row in rows.items():
        if fused := rows.get((grid, f"{cell}, fuse_norm")):
            times = (_times(each, "times_baseline") for each in (row, fused))
            lines.append([f"`{grid}`", cell, *times])
    header = ("grid", "activation", "step, multiple of ReLU's", "with `fuse_norm=True`")
    return f"{markdown_table(header, lines)}\n\n{made(page, 'steps')}"


def kept(page: Path) -> str:
    """Return what models keep for backward, with and without folded norms and sums."""
    path, lines = BENCH / "kept.csv", {}
    for row in read_csv(path):
        size, ratio = int(row["kept_bytes"]) / MIB, float(row["times_relu"])
        cell = f"{size:.0f}" + ("" if row["row"] == "ReLU" else f" ({ratio:.2f}x)")
        lines.setdefault((row["case"], row["input"]), {})[row["row"]] = cell
    rows = [[*model, *cells.values()] for model, cells in lines.items()]
    header = ("MiB kept per image", "input (HxW)", *next(iter(lines.values())))
    command = "`python benchmarks/kept.py`"
    return f"{markdown_table(header, rows)}\n\n{link(page, path)}, written by {command}."


def speed_compiled(page: Path) -> str:
    """Return what MMEngine's `compile=True` does to a training step of the demo's models."""
    rows = {row["row"]: row for row in bench("compiled_cpu")}
    lines = []
    for name in (name for name in rows if not name.endswith("compile")):
        eager, compiled = rows[name], rows[f"{name}, compile"]
        if compiled["outcome"] != "ok":
            lines.append([name, f"{float(eager['median_ms']):.0f} ms", compiled["outcome"], "", ""])
            continue
        cells = [f"{float(row['median_ms']):.0f} ms" for row in (eager, compiled)]
        cells[1] += f" ({_times(compiled, 'times_eager')})"
        start, error = float(compiled["first_call_s"]), float(compiled["loss_error"])
        lines.append([name, *cells, f"{start:.0f} s", f"{error:.0e}"])
    header = (
        *("demo model", "training step", "compiled", "first three steps, compiled"),
        "largest difference in loss",
    )
    where = made(page, "compiled_cpu")
    batch = rows["ReLU"]["batch"]
    return f"{markdown_table(header, lines)}\n\nBatch {batch}. {where} On a GPU: {NOT_RUN}."


def _times(record: dict[str, str], column: str = "times_relu") -> str:
    return f"{float(record[column]):.2f}x"


def loader(page: Path) -> str:
    """Return what reading crops instead of whole images does to a training loader."""
    path = BENCH / "loader.json"
    record = json.loads(path.read_bytes())
    lines = []
    labels = dict(original="whole images", crops="crops of people", array="an array of crops")
    for key, found in record["images_per_second"].items():
        label, size = labels[key], record["train_megabytes"][key]
        rate, original = found["median"], record["images_per_second"]["original"]["median"]
        ratio = "" if key == "original" else f" ({rate / original:.1f}x)"
        lines.append([label, f"{rate:.0f}{ratio}", f"{size:.0f} MB"])
    furthest = max(split["keypoints_max"] for split in record["agreement"].values())
    header = ("the training loader reads", "images per second", "training files")
    return (
        f"{markdown_table(header, lines)}\n\n`{record['config']}`, {source(page, path, record)} "
        f"The keypoints of all samples agree within {furthest:.1g} pixels. AP after training on "
        f"each: {NOT_RUN}."
    )


def complexity(page: Path) -> str:
    """Return what DyReLU adds to each model."""
    path, lines = COMPLEXITY / "models.csv", []
    for row in read_csv(path):
        if not row["baseline"]:
            twin = row
            continue
        millions = [
            _change(row, twin, name, 1e6, unit)
            for name, unit in (("params", ".2f"), ("madds", ".0f"))
        ]
        kept = _change(row, twin, "activations", MIB, ".0f")
        lines.append([f"`{row['model']}`", row["input"], *millions, kept])
    header = (
        *("config", "input (HxW)", "parameters (M), ReLU -> DyReLU", "multiply-adds (M)"),
        "kept for backward (MiB per image)",
    )
    return (
        f"{markdown_table(header, lines)}\n\n{link(page, path)}, written by `tools/complexity.py`."
    )


def imagenet_cost(page: Path) -> str:
    """Return the placements in MobileNetV2 whose cost is nearest to the one reported for it."""
    path = COMPLEXITY / "imagenet_mobilenetv2.csv"
    rows = read_csv(path)[:4]
    plain = rows[0]
    lines = [
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
    ]
    header = ("DyReLU-B at", "R", "parameters", "multiply-adds")
    return (
        f"{markdown_table(header, lines)}\n\n{link(page, path)}, written by `{plain['command']}`."
    )


def made(page: Path, name: str) -> str:
    """Say where the figures of a benchmark come from; threads matter on a CPU only."""
    rows = bench(name)
    torch = dict.fromkeys(v for row in rows for v in row["versions"].split(", ") if "torch " in v)
    used = "" if name.endswith("_cuda") else f" {threads(values(rows, 'threads'))},"
    return (
        f"{link(page, BENCH / f'{name}.csv')}: {values(rows, 'device')},{used} "
        f"{' / '.join(torch)}, {values(rows, 'date')}."
    )


def bench(name: str) -> list[dict[str, str]]:
    """Return the rows of a benchmark."""
    return read_csv(BENCH / f"{name}.csv")


def _change(row: dict[str, str], twin: dict[str, str], name: str, unit: float, digits: str) -> str:
    before, after = (format(int(r[name]) / unit, digits) for r in (twin, row))
    return f"{before} -> {after} ({float(row[f'{name}_more_percent']):+.1f} %)"
