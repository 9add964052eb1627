"""The benchmarks of single activations, of whole models and of the training loader."""

import json
import re

from .read import NOT_RUN, RESULTS, read_csv, table

BENCH = RESULTS / "bench"


def speed_op() -> str:
    """Return the times of single activations: forward and backward at 64x96x32x24."""
    cpu, cuda = ({name: _op_rows(device, name) for name in ("NCHW", "channels_last")}
                 for device in ("cpu", "cuda"))  # fmt: skip
    lines = []
    for name in dict.fromkeys((*cpu["NCHW"], *cpu["channels_last"], *cuda["channels_last"])):
        rows = [cpu["NCHW"].get(name), cpu["channels_last"].get(name)]
        gpu = cuda["channels_last"].get(name)
        kept = next(_maps(row) for row in (*rows, gpu) if row)
        lines.append([name, *map(_time, rows), kept, _time(gpu)])
    times = table(
        "forward + backward, 64x96x32x24 | CPU, NCHW | CPU, channels_last | kept for backward "
        "| GPU, bfloat16, channels_last",
        lines,
    )
    return f"{times}\n\n{_devices('op')}"


def _op_rows(device: str, memory_format: str) -> dict[str, dict[str, str]]:
    wanted = dict(
        shape="64x96x32x24",
        dtype="float32" if device == "cpu" else "bfloat16",
        memory_format=memory_format,
        what="forward + backward",
    )
    return {
        row["row"]: row
        for row in _bench(f"op_{device}")
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
    lines = []
    for device, label in (("cpu", "CPU"), ("cuda", "GPU")):
        found = {}
        for record in _bench(f"model_{device}"):
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
            lines.append([model, name, label, *cells])
        if not found:
            lines.append(["all", "all", label, *[NOT_RUN] * 3])
    ratios = table("model | activation | device | training step | peak memory | inference", lines)
    return f"{ratios}\n\n{_devices('model')}"


def loader() -> str:
    """Return what reading crops instead of whole images does to a training loader."""
    record = json.loads((BENCH / "loader.json").read_text())
    lines = []
    for key, label in (("original", "whole images"), ("crops", "crops of persons")):
        rate, size = record["images_per_second"][key]["median"], record["train_megabytes"][key]
        ratio = "" if key == "original" else f" ({record['ratio']:.1f}x)"
        lines.append([label, f"{rate:.0f}{ratio}", f"{size:.0f} MB"])
    furthest = max(split["keypoints_max"] for split in record["agreement"].values())
    return (
        table("training loader reads | images per second | training files", lines)
        + f"\n\n`{record['config']}` on {record['device']}. Keypoints of all samples agree within "
        f"{furthest:.1g} pixels. Same AP after training: {NOT_RUN}."
    )


def _devices(name: str) -> str:
    """Say where the figures of a benchmark come from."""
    parts = []
    for device, label in (("cpu", "CPU"), ("cuda", "GPU")):
        rows = _bench(f"{name}_{device}")
        if rows:
            last = rows[-1]
            torch = re.search(r"torch [^,]+", last["versions"])[0]
            threads = f", {last['threads']} thread(s)" if device == "cpu" else ""
            parts.append(f"{label}: {last['device']}{threads}, {torch}, {last['date']}.")
        else:
            parts.append(f"{label}: {NOT_RUN}.")
    return " ".join(parts)


def _bench(name: str) -> list[dict[str, str]]:
    return read_csv(BENCH / f"{name}.csv")
