"""What the data of COCO costs, what keeps many GPUs busy, and how far several processes are off."""

import json
from math import ceil
from pathlib import Path

from dyrelu_pose.records.tables import markdown_table

from .page import NOT_RUN, RESULTS, link, source

INDEX = RESULTS / "reliability/scale.json"
EVALUATION = RESULTS / "bench/scale_evaluation.json"
LOADER = RESULTS / "bench/loader_256x192.json"
DISTRIBUTED = RESULTS / "reliability/distributed.json"

GPUS = 64
PERSONS = 150_000  # of an epoch
ASSUMED = (100, 300, 1000)  # images per second of one GPU


def scale_index(page: Path) -> str:
    """Return start-up time and memory of a data set."""
    record = json.loads(INDEX.read_bytes())
    labels = {"MMPose": "MMPose's", "dyrelu_pose": "this package's, with its checks"}
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
    header = ("`CocoDataset`", "start-up", "at most", "afterwards", "of that its index")
    return (
        f"{markdown_table(header, lines)}\n\n"
        f"{record['persons']:,} persons of {record['images']:,} images, a file of "
        f"{record['annotation_megabytes']:.0f} MB. Seconds of the processor, in brackets of the "
        f"clock beside other work; memory beyond that of the imports. "
        f"{source(page, INDEX, record)}"
    )


def scale_workers(page: Path) -> str:
    """Return the memory of loader workers."""
    record, lines = json.loads(INDEX.read_bytes()), []
    for found in record["loaders"]:
        if not found["workers"]:
            continue
        few = "1,000" if found["persons"] == "few" else f"{record['persons']:,}"
        what = "loads pictures" if found["reads"] == "pictures" else "has read every person"
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
    header = ("persons", "kept", "started by", "a worker", "for itself", "shared with others")
    return f"{markdown_table(header, lines)}\n\n{source(page, INDEX, record)}"


def scale_evaluation(page: Path) -> str:
    """Return how long the evaluation takes."""
    record = json.loads(EVALUATION.read_bytes())
    lines = [
        [
            f"{case['detections']:,}",
            f"{case['persons']:,} on {case['images']:,} images",
            *(f"{seconds:.1f} s" for seconds in case["processor_seconds"].values()),
            f"{case['processor_seconds_in_all']:.1f} s",
            f"{case['microseconds_per_detection']}",
        ]
        for case in record["cases"]
    ]
    parts = record["cases"][0]["processor_seconds"]
    header = ("detections", "persons", *parts, "in all", "µs per detection")
    return (
        f"{markdown_table(header, lines)}\n\nSeconds of the processor. "
        f"{source(page, EVALUATION, record)}"
    )


def scale_gpus(page: Path) -> str:
    """Return the loader processes that GPUs of assumed rates need, and what evaluation adds."""
    loader = json.loads(LOADER.read_bytes())
    rates = {name: found["median"] for name, found in loader["images_per_second"].items()}
    evaluation = _evaluating()
    lines = []
    for rate in ASSUMED:
        epoch = PERSONS / (GPUS * rate)
        needed = [ceil(rate / rates[name]) for name in ("original", "crops")]
        lines.append(
            [
                f"{rate} images/s",
                *(f"{number} ({8 * number} a node)" for number in needed),
                f"{epoch:.0f} s",
                f"{100 * evaluation / (evaluation + 10 * epoch):.0f} %",
            ]
        )
    header = (
        *("G, assumed", "loader processes per GPU, whole images", "crops"),
        *(f"epoch on {GPUS} GPUs", "evaluation's share"),
    )
    return (
        f"{markdown_table(header, lines)}\n\n"
        f"Measured: r = {rates['original']:.0f} images/s of a core on "
        f"whole images, {rates['crops']:.0f} on crops of persons (`{loader['config']}`), and E = "
        f"{evaluation:.0f} s for the evaluation of 100,000 detections of a detector "
        f"({link(page, EVALUATION)}). {source(page, LOADER, loader)} "
        f"Epoch: {PERSONS:,} / ({GPUS} G). Share: E / (E + 10 epochs)."
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
    header = ("trained by", "gradient of a step", "weights after an epoch", "scores", "persons")
    return (
        f"{markdown_table(header, lines)}\n\nLargest differences from one process: of gradient and "
        "weights, in units of the change that the epoch makes to the weights; of the keypoints' "
        f"scores, of the largest. COCO-mini AP of the model published then: {_aps(record)}. "
        f"{source(page, DISTRIBUTED, record)}"
    )


def _aps(record: dict) -> str:
    for found in record.values():
        if isinstance(found, dict) and "coco_mini_ap" in found:
            aps = found["coco_mini_ap"].items()
            return ", ".join(f"{100 * ap:.2f} by {processes}" for processes, ap in aps)
    return NOT_RUN


def _evaluating() -> float:
    """Return the seconds that each evaluation of a detector's boxes takes."""
    case = json.loads(EVALUATION.read_bytes())["cases"][-1]
    return case["processor_seconds_in_all"] - case["processor_seconds"]["read annotations"]
