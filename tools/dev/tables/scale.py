"""What the data of COCO costs, what keeps many GPUs busy, and how far several processes are off."""

import json
from math import ceil
from pathlib import Path

from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import NOT_RUN, RESULTS, link, source, values

INDEX = RESULTS / "reliability/scale.json"
EVALUATION = RESULTS / "bench/scale_evaluation.json"
LOADER = RESULTS / "bench/loader_256x192.json"
DISTRIBUTED = RESULTS / "reliability/distributed.json"

GPUS = 64
PERSONS = 150_000  # of an epoch
ASSUMED = (100, 300, 1000)  # images per second of one GPU
MEASURED = RESULTS / "bench/gpu/model_cuda.csv"
MODEL, ROW, STEP = "mobilenetv2 256x192", "DyReLU fuse_norm, triton", "training step"


def scale_index(page: Path) -> str:
    """Return start-up time and memory of a data set."""
    record = json.loads(INDEX.read_bytes())
    labels = {"MMPose": "MMPose", "dyrelu_pose": "this package, with its checks"}
    lines = [
        [
            labels[name],
            f"{found['processor_seconds']:.0f} s ({found['seconds']:.0f} s)",
            f"{found['peak_megabytes']:.0f} MB",
            f"{found['kept_megabytes']:.0f} MB",
            f"{found['index_megabytes']:.0f} MB",
        ]
        for name, found in record["start_up"].items()
    ]
    header = ("`CocoDataset` of", "start-up", "peak memory", "memory afterwards", "its index alone")
    return (
        f"{markdown_table(header, lines)}\n\n"
        f"{record['persons']:,} people in {record['images']:,} images, an annotation file of "
        f"{record['annotation_megabytes']:.0f} MB. Start-up in CPU seconds, with wall-clock "
        "seconds on a busy machine in brackets; memory is in addition to that of the imports. "
        f"{source(page, INDEX, record)}"
    )


def scale_workers(page: Path) -> str:
    """Return the memory of loader workers."""
    record, lines = json.loads(INDEX.read_bytes()), []
    for found in record["loaders"]:
        if not found["workers"]:
            continue
        few = "1,000" if found["persons"] == "few" else f"{record['persons']:,}"
        what = "loads images" if found["reads"] == "pictures" else "has read every person"
        kept = "pickled" if found["serialize_data"] else "`serialize_data=False`"
        lines.append(
            [
                few,
                kept,
                f"`{found['start']}`",
                what,
                f"{found['worker_private_megabytes']:.0f} MB",
                f"{found['worker_shared_megabytes']:.0f} MB",
            ]
        )
    header = (
        "people",
        "annotations",
        "start method",
        "the worker",
        "private memory",
        "shared memory",
    )
    return f"{markdown_table(header, lines)}\n\n{source(page, INDEX, record)}"


def scale_evaluation(page: Path) -> str:
    """Return how long the evaluation takes."""
    record = json.loads(EVALUATION.read_bytes())
    lines = [
        [
            f"{case['detections']:,}",
            f"{case['persons']:,} in {case['images']:,} images",
            *(f"{seconds:.1f} s" for seconds in case["processor_seconds"].values()),
            f"{case['processor_seconds_in_all']:.1f} s",
            f"{case['microseconds_per_detection']}",
        ]
        for case in record["cases"]
    ]
    parts = record["cases"][0]["processor_seconds"]
    header = ("detections", "people", *parts, "total", "µs per detection")
    return f"{markdown_table(header, lines)}\n\nIn CPU seconds. {source(page, EVALUATION, record)}"


def scale_gpus(page: Path) -> str:
    """Return the loader processes that GPUs of some rates need, and what evaluation adds."""
    loader = json.loads(LOADER.read_bytes())
    rates = {name: found["median"] for name, found in loader["images_per_second"].items()}
    evaluation = _evaluating()
    lines = []
    steps = [
        row
        for row in read_csv(MEASURED)
        if (row["case"], row["row"]) == (MODEL, ROW) and row["what"].startswith(STEP)
    ]
    given = [(rate, "assumed") for rate in ASSUMED]
    for row in steps:
        how = row["what"].removeprefix(STEP).strip() or "called from Python"
        given.append((round(1000 * int(row["batch"]) / float(row["median_ms"])), how))
    for rate, how in given:
        epoch = PERSONS / (GPUS * rate)
        needed = [ceil(rate / rates[name]) for name in ("original", "crops")]
        lines.append(
            [
                f"{rate} images/s, {how}",
                *(f"{number} ({8 * number} per node)" for number in needed),
                f"{epoch:.0f} s",
                f"{100 * evaluation / (evaluation + 10 * epoch):.0f} %",
            ]
        )
    header = (
        *("G", "loader processes per GPU, whole images", "the same, crops"),
        *(f"epoch on {GPUS} GPUs", "share of evaluation"),
    )
    return (
        f"{markdown_table(header, lines)}\n\n"
        f"Measured: one core loads r = {rates['original']:.0f} images/s from whole images and "
        f"{rates['crops']:.0f} from crops of people (`{loader['config']}`); evaluating 100,000 "
        f"detections of a detector takes E = {evaluation:.0f} s ({link(page, EVALUATION)}). "
        f"{source(page, LOADER, loader)} Epoch: {PERSONS:,} / ({GPUS} G). Share: "
        f"E / (E + 10 epochs). The last two rates: training steps of MobileNetV2 with {ROW} in "
        f"bfloat16 autocast, without data loading ({link(page, MEASURED)}: "
        f"{values(steps, 'device')})."
    )


def distributed(page: Path) -> str:
    """Return how far training by several processes is from training by one, a row per number."""
    record = json.loads(DISTRIBUTED.read_bytes())
    lines = [
        [
            name,
            f"{found['errors']['step']:.0e}",
            f"{found['errors']['epoch']:.0e}",
            f"{found['errors']['scores']:.0e}",
            f"{found['persons_evaluated']}",
        ]
        for name, found in record.items()
        if isinstance(found, dict) and "errors" in found
    ]
    header = ("training by", "gradient of a step", "weights after an epoch", "scores", "people")
    return (
        f"{markdown_table(header, lines)}\n\nLargest differences from training by one process: "
        "those of gradient and weights relative to the change that the epoch makes to the "
        "weights, those of keypoint scores relative to the largest score. COCO-mini AP of the "
        f"model published at that time, by number of processes: {_aps(record)}. "
        f"{source(page, DISTRIBUTED, record)}"
    )


def _aps(record: dict) -> str:
    for found in record.values():
        if isinstance(found, dict) and "coco_mini_ap" in found:
            aps = found["coco_mini_ap"].items()
            return ", ".join(f"{100 * ap:.2f} with {processes}" for processes, ap in aps)
    return NOT_RUN


def _evaluating() -> float:
    """Return the seconds that each evaluation of a detector's boxes takes."""
    case = json.loads(EVALUATION.read_bytes())["cases"][-1]
    return case["processor_seconds_in_all"] - case["processor_seconds"]["read annotations"]
