"""Measure person detectors on COCO-mini: how many people they find, and the AP with their boxes.

    DYRELU_DATA=/path/to/data python tools/dev/record_detectors.py

The files are those of `detector/` in DYRELU_DATA. Recall is of the people of the first 100
pictures, at IoU 0.5; AP is the published model's on all, with true boxes and with those that
tools/detect.py writes. results/coco_mini/detectors.csv gets a row for each.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from record_onnx import SHOWN, run
from rich.progress import track

from dyrelu_pose.detection import PersonDetector
from dyrelu_pose.detection.recall import recall
from dyrelu_pose.engine.metrics import read_metrics
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import SHIPPED_CHECKPOINT, SHIPPED_CONFIG
from dyrelu_pose.records.files import write_csv
from dyrelu_pose.records.origin import origin

OUT = Path("results/coco_mini/detectors.csv")
PICTURES = 100
# Name, file, lowest score of the recall; None has the true boxes.
DETECTORS = (
    ("true boxes", None, None),
    ("NanoDet-m 416", "nanodet_m_416.onnx", 0.35),
    ("YOLOX-nano", "yolox_nano.onnx", 0.3),
)
LEAST = 0.2  # score of a box that AP counts


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, help="CSV file (%(default)s)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the rows."""
    args = parse_args(argv)
    if "DYRELU_DATA" not in os.environ:
        raise UserError("DYRELU_DATA has to name the folder with coco_mini/ and detector/")
    data = Path(os.environ["DYRELU_DATA"])
    images, ann_file = (
        data / "coco_mini/val",
        data / "coco_mini/annotations/person_keypoints_val.json",
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, file, score in track(DETECTORS, "detecting and evaluating"):
            row: dict[str, object] = dict(boxes=name)
            options: tuple = ()
            if file is not None and score is not None:
                detector, boxes = data / "detector" / file, Path(folder, "boxes.json")
                found, labelled = recall(
                    PersonDetector(detector, score), images, ann_file, PICTURES
                )
                row |= dict(
                    score=score, found=found, labelled=labelled, recall=round(found / labelled, 4)
                )
                run(
                    "detect.py", detector, images, "--ann-file", ann_file, "--out", boxes,
                    "--bbox-thr", str(LEAST),
                )  # fmt: skip
                row |= dict(bbox_thr=LEAST, detections=len(json.loads(boxes.read_bytes())))
                options = ("--cfg-options", f"test_dataloader.dataset.bbox_file={boxes}")
            out = Path(folder, "metrics.json")
            run(
                "test.py", SHIPPED_CONFIG, SHIPPED_CHECKPOINT, "--work-dir", folder, "--out", out,
                *options,
            )  # fmt: skip
            metrics = read_metrics(out)
            rows.append(row | {key: round(metrics[f"coco/{key}"], 4) for key in SHOWN})
    source = origin("onnxruntime", "opencv-python-headless")
    columns = [*dict.fromkeys(key for row in (*rows[1:], rows[0]) for key in row), *source]
    write_csv(args.out, [row | source for row in rows], columns)
    print(args.out)


if __name__ == "__main__":
    with user_errors():
        main()
