"""Seconds that the evaluation of some thousand and of a hundred thousand persons takes.

    python benchmarks/evaluation.py --out results/bench/scale_evaluation.json    # some minutes
    python benchmarks/evaluation.py --quick

Predictions are the true keypoints moved by a few pixels. The cases take turns.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from annotations import HEIGHT, KEYPOINTS, WIDTH, write_annotations
from rich.progress import track

from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.datasets import CocoDataset
from dyrelu_pose.errors import user_errors
from dyrelu_pose.evaluation import PycocoMetric
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

# isort: split
# mmpose imports only once dyrelu_pose has been
from mmpose.datasets.datasets.utils import parse_pose_metainfo

BATCH = 32  # samples that the metric gets at once
NOISE = 4.0  # standard deviation of a predicted keypoint, pixels
FURTHER = 60.0  # that of the place of a person's further detections, pixels
SEED = 0


class Case(NamedTuple):
    """What is evaluated.

    Attributes:
        persons: Number of true persons.
        images: Number of images.
        detections: Number of predictions; those beyond one per person lie around them.
    """

    persons: int
    images: int
    detections: int


CASES = (
    Case(6_352, 2_346, 6_352),  # as many labelled persons as COCO val2017 has
    Case(100_000, 40_000, 100_000),
    Case(6_352, 5_000, 100_000),  # like boxes of a detector: 20 on an image
)
QUICK = (Case(60, 30, 60), Case(60, 30, 300))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--repeats", type=at_least_one, default=3, help="runs of each case (%(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="few persons, one run")
    parser.add_argument("--out", type=Path, help="JSON file for what was found")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Time the cases and write them down."""
    args = parse_args(argv)
    cases, repeats = (QUICK, 1) if args.quick else (CASES, args.repeats)
    found = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        files = {case: Path(folder, f"{number}.json") for number, case in enumerate(cases)}
        for case, file in files.items():
            write_annotations(file, case.persons, case.images, SEED)
        for case in track([*cases] * repeats, "evaluations"):
            found[case].append(evaluate(case, files[case]))
    record = dict(
        name="evaluation",
        cases=[case._asdict() | summary(case, found[case]) for case in cases],
        repeats=repeats,
        seed=SEED,
        **origin(),
    )
    print(json.dumps(record, indent=1))
    if args.out:
        write_json(args.out, record)


class TimedMetric(PycocoMetric):
    """PycocoMetric that keeps in `marks` when, in processor time, it began and ended writing."""

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> None:
        """See `PycocoMetric`."""
        self.marks = [time.process_time()]
        super().results2json(keypoints, outfile_prefix)
        self.marks.append(time.process_time())


def evaluate(case: Case, annotations: Path) -> dict[str, float]:
    """Evaluate; return the processor's seconds in each part, and seconds of the clock in all."""
    persons = json.loads(annotations.read_bytes())["annotations"]
    samples = predictions(persons, case.detections)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        clock, start = time.perf_counter(), time.process_time()
        metric = TimedMetric(str(annotations), use_area=False)
        metric.dataset_meta = parse_pose_metainfo(CocoDataset.METAINFO)
        read = time.process_time()
        for first in range(0, len(samples), BATCH):
            metric.process({}, samples[first : first + BATCH])
        collected = time.process_time()
        metric.evaluate(len(samples))
        end = time.process_time()
    scored, written = metric.marks
    return {
        "read annotations": read - start,
        "collect": collected - read,
        "score and NMS": scored - collected,
        "write results": written - scored,
        "AP": end - written,
        "clock": time.perf_counter() - clock,
    }


def predictions(annotations: list[dict], detections: int) -> list[dict]:
    """Return what a model hands the metric: one sample for each detection."""
    rng = np.random.default_rng(SEED)
    persons = [annotations[number % len(annotations)] for number in range(detections)]
    points = np.array([person["keypoints"] for person in persons], np.float32)
    points = points.reshape(-1, KEYPOINTS, 3)[..., :2] + rng.normal(
        0, NOISE, (detections, KEYPOINTS, 2)
    )
    points[len(annotations) :] += rng.normal(
        0, FURTHER, (max(0, detections - len(annotations)), 1, 2)
    )
    scores = rng.uniform(0.2, 1, (detections, 1, KEYPOINTS)).astype(np.float32)
    return [
        dict(
            id=number,
            img_id=person["image_id"],
            category_id=1,
            ori_shape=(HEIGHT, WIDTH),
            gt_instances=dict(
                bbox_scales=1.25 * np.array([person["bbox"][2:]]), bbox_scores=np.ones(1)
            ),
            pred_instances=dict(
                keypoints=points[number : number + 1].astype(np.float32),
                keypoint_scores=scores[number],
                bboxes=np.array([person["bbox"]], np.float32),
            ),
        )
        for number, person in enumerate(persons)
    ]


def summary(case: Case, runs: list[dict]) -> dict:
    """Return the medians over the runs of a case, in seconds and per detection."""
    parts = {part: float(np.median([run[part] for run in runs])) for part in runs[0]}
    clock = parts.pop("clock")
    total = sum(parts.values())
    return dict(
        processor_seconds={part: round(seconds, 2) for part, seconds in parts.items()},
        processor_seconds_in_all=round(total, 2),
        clock_seconds=round(clock, 2),
        microseconds_per_detection=round(1e6 * total / case.detections),
    )


if __name__ == "__main__":
    with user_errors():
        main()
