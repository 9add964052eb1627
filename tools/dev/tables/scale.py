"""What the data of COCO costs, and what it takes to keep many GPUs busy."""

import json
from math import ceil

from .read import RESULTS, table

GPUS = 64
PERSONS = 150_000  # of an epoch
ASSUMED = (100, 300, 1000)  # images per second of one GPU


def scale_index() -> str:
    """Return start-up time and memory of a data set."""
    record = _index()
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
    made = table("`CocoDataset` | start-up | at most | afterwards | of that its index", lines)
    return (
        f"{made}\n\n{record['persons']:,} persons of {record['images']:,} images, a file of "
        f"{record['annotation_megabytes']:.0f} MB. Seconds of the processor, in brackets of the "
        f"clock beside other work; memory beyond that of the imports. {_source(record)}"
    )


def scale_workers() -> str:
    """Return the memory of loader workers."""
    lines = []
    for found in _index()["loaders"]:
        if not found["workers"]:
            continue
        few = "1,000" if found["persons"] == "few" else f"{_index()['persons']:,}"
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
    header = "persons | kept | started by | a worker | for itself | shared with others"
    return table(header, lines)


def scale_evaluation() -> str:
    """Return how long the evaluation takes."""
    record = _evaluation()
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
    parts = " | ".join(record["cases"][0]["processor_seconds"])
    header = f"detections | persons | {parts} | in all | µs per detection"
    return f"{table(header, lines)}\n\nSeconds of the processor. {_source(record)}"


def scale_gpus() -> str:
    """Return the loader processes that GPUs of assumed rates need, and what evaluation adds."""
    loader = json.loads((RESULTS / "bench/loader_256x192.json").read_text())
    rates = {name: found["median"] for name, found in loader["images_per_second"].items()}
    evaluation = _evaluating()
    lines = []
    for rate in ASSUMED:
        epoch = PERSONS / (GPUS * rate)
        needed = [ceil(rate / of_core) for of_core in rates.values()]
        lines.append(
            [
                f"{rate} images/s",
                *(f"{number} ({8 * number} a node)" for number in needed),
                f"{epoch:.0f} s",
                f"{100 * evaluation / (evaluation + 10 * epoch):.0f} %",
            ]
        )
    header = (
        "G, assumed | loader processes per GPU, whole images | crops "
        f"| epoch on {GPUS} GPUs | evaluation's share"
    )
    return (
        f"{table(header, lines)}\n\nMeasured: r = {rates['original']:.0f} images/s of a core on "
        f"whole images, {rates['crops']:.0f} on crops of persons (`{loader['config']}`), and E = "
        f"{evaluation:.0f} s for the evaluation of 100,000 detections of a detector. "
        f"{_source(loader)} Epoch: {PERSONS:,} / ({GPUS} G). Share: E / (E + 10 epochs)."
    )


def _evaluating() -> float:
    """Return the seconds that each evaluation of a detector's boxes takes."""
    case = _evaluation()["cases"][-1]
    return case["processor_seconds_in_all"] - case["processor_seconds"]["read annotations"]


def _index() -> dict:
    return json.loads((RESULTS / "reliability/scale.json").read_text())


def _evaluation() -> dict:
    return json.loads((RESULTS / "bench/scale_evaluation.json").read_text())


def _source(record: dict) -> str:
    return f"{record['device']}, {record['date']}."
