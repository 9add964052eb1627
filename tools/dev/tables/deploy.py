"""Deployed models: their time beside their ReLU twins', and AP, with detected boxes too."""

import json
from pathlib import Path

from dyrelu_pose.ablation.table import summaries
from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import NOT_RUN, RESULTS, link, source, threads
from .study import Study

TIMES = RESULTS / "bench/deployed_cpu.csv"
FILES_AP = RESULTS / "coco_mini/onnx.csv"
HEAD_ONLY = RESULTS / "coco_mini/dyrelu_mobilenetv2_128x96_head-only.json"
PUBLISHED = "mobilenetv2-multiscale_128x96"
LONGER = "mobilenetv2_128x96_lspet"
NETWORKS = {
    PUBLISHED: "MobileNetV2, two-scale head, 128x96, R 32 (published)",
    LONGER: "MobileNetV2, 128x96, R 32",
    "mobilenetv2_128x96": "MobileNetV2, 128x96, R 8 and 4",
    "mobilenetv2_256x192": "MobileNetV2, 256x192, R 8 and 4",
    "mobilenetv2_256x192_r32": "MobileNetV2, 256x192, R 32",
    "hrnet_256x192": "HRNet-W32, 256x192, R 8 and 4",
}
RUNTIMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
FORMS = {
    "eager": "eager",
    "eager, deployed": "eager, deployed form",
    "torch.compile": "`torch.compile`",
    "torch.compile, deployed": "`torch.compile` of the deployed form",
    "torch.export": "`torch.export` of the deployed form",
    "TorchScript": "`torch.jit.trace` of the deployed form, frozen",
    "AOTInductor": "AOTInductor of the deployed form",
}
CELLS = {"none": "none+none", "all": "B+C", "head": "none+C"}  # of the grid matrix


def deployed(page: Path) -> str:
    """Return a row per network, placement and kind of file: its time in each runtime, and AP."""
    rows = [row for row in read_csv(TIMES) if row["runtime"] in RUNTIMES]
    found = {
        (row["model"], row["placement"], row["file"], row["runtime"]): row
        for row in sorted(rows, key=lambda row: list(NETWORKS).index(row["model"]))
    }
    lines = []
    for model, placement, file in dict.fromkeys(key[:3] for key in found):
        first = found[model, placement, file, "onnxruntime"]
        lines.append(
            [
                NETWORKS[model],
                "none (ReLU)" if placement == "none" else f"{placement} ({first['sites']})",
                file,
                f"{float(first['megabytes']):.0f} MB",
                *(_time(found[model, placement, file, runtime]) for runtime in RUNTIMES),
                _ap(model, placement, file),
            ]
        )
    header = ("network", "sites with DyReLU", "file", "size", *RUNTIMES.values(), "COCO-mini AP")
    return f"{markdown_table(header, lines)}\n\n{_origin(page, rows)}\n\n{_head_only(page)}"


def _head_only(page: Path) -> str:
    """Say the AP of the shipped config with DyReLU in the head alone, and that of its twin."""
    record = json.loads(HEAD_ONLY.read_bytes())
    grid, _, runs = Study("", "", "matrix").load()
    twin = summaries(grid, runs)["none+none"].mean
    return (
        f"`{record['config']}` (R 32), trained on COCO-mini for {record['epochs']} epochs with "
        f"seed {record['seed']}, reaches {100 * record['metrics']['coco/AP']:.1f} AP there "
        f"({link(page, HEAD_ONLY)}); its ReLU6 twin reaches {twin:.1f}, the mean of three seeds."
    )


def deployed_torch(page: Path) -> str:
    """Return a row per network and form in which PyTorch runs it, DyReLU at all sites."""
    rows = [row for row in read_csv(TIMES) if row["runtime"] in FORMS]
    found = {(row["model"], row["runtime"], row["placement"]): row for row in rows}
    lines = [
        [
            NETWORKS[model],
            FORMS[form],
            f"{float(found[model, form, 'none']['median_ms']):.3g} ms",
            _time(found[model, form, "all"]),
        ]
        for model in NETWORKS
        for form in FORMS
        if (model, form, "all") in found
    ]
    header = ("network", "run as", "ReLU", "DyReLU at all sites")
    return f"{markdown_table(header, lines)}\n\n{_origin(page, rows)}"


def deployed_ap(page: Path) -> str:
    """Return the AP of the published model's files in each runtime."""
    rows = read_csv(FILES_AP)
    figures = ("AP", "AP .5", "AP .75", "AR")
    lines = [
        [
            row["file"],
            RUNTIMES[row["runtime"]],
            *(f"{100 * float(row[key]):.1f}" for key in figures),
        ]
        for row in rows
    ]
    header = ("file", "runtime", "COCO-mini AP", "AP50", "AP75", "AR")
    return f"{markdown_table(header, lines)}\n\n{source(page, FILES_AP, rows[0])}"


def detectors(page: Path) -> str:
    """Return how many people each detector finds, and the published model's AP with its boxes."""
    path = RESULTS / "coco_mini/detectors.csv"
    rows = read_csv(path)
    lines = []
    for row in rows:
        found = ""
        if row["found"]:
            found = f"{float(row['recall']):.2f} at score {row['score']}"
        lines.append(
            [
                row["boxes"],
                found,
                row["detections"],
                *(f"{100 * float(row[key]):.1f}" for key in ("AP", "AP .5", "AP .75", "AR")),
            ]
        )
    header = ("boxes", "people found", "boxes used", "COCO-mini AP", "AP50", "AP75", "AR")
    last = rows[-1]
    return (
        f"{markdown_table(header, lines)}\n\n{source(page, path, last)} People found: share "
        f"of the {last['labelled']} people in the first 100 images, at IoU 0.5. AP: of the "
        f"published model on all images, with the boxes that score at least {last['bbox_thr']}."
    )


def _time(row: dict[str, str]) -> str:
    return f"{float(row['median_ms']):.3g} ms, {float(row['times_relu']):.2f}x"


def _ap(model: str, placement: str, file: str) -> str:
    """Return the AP of a trained model, where there is one."""
    if model == PUBLISHED and placement == "all":
        of_file = {row["file"]: row["AP"] for row in read_csv(FILES_AP)}
        return f"{100 * float(of_file[file]):.1f}" if file in of_file else ""
    if file != "float32":
        return NOT_RUN if placement != "none" else ""
    record = {"none": model, "all": f"dyrelu_{model}"}.get(placement)
    if model in (PUBLISHED, LONGER) and record:
        metrics = json.loads((RESULTS / f"coco_mini/{record}.json").read_bytes())["metrics"]
        return f"{100 * metrics['coco/AP']:.1f}"
    if model == "mobilenetv2_128x96" and placement in CELLS:
        grid, _, runs = Study("", "", "matrix").load()
        return f"{summaries(grid, runs)[CELLS[placement]].mean:.1f}"
    return NOT_RUN


def _origin(page: Path, rows: list[dict[str, str]]) -> str:
    made = {key: ", ".join(dict.fromkeys(row[key] for row in rows)) for key in ("device", "date")}
    repeats, in_a_row = (
        " to ".join(map(str, dict.fromkeys((min(counts), max(counts)))))
        for counts in ([int(row[key]) for row in rows] for key in ("repeats", "in_a_row"))
    )
    return (
        f"{link(page, TIMES)}, written by `benchmarks/deployed.py`: time per image in series of "
        f"{in_a_row}, median of {repeats} repeats, {made['device']}, "
        f"{threads(rows[0]['threads'])}, {made['date']}. Factors are relative to the ReLU twin in "
        "float32, in the same runtime and run."
    )
