"""Find people and write their boxes to evaluate with: `python tools/detect.py DETECTOR IMAGES`.

DETECTOR is an ONNX file of YOLOX or NanoDet; none comes with this project (docs/deploy.md says
where to get one). Writes a list of dict(image_id, category_id, bbox, score), COCO's format of
detections, for `test_dataloader.dataset.bbox_file` of a config and for --bboxes of tools/demo.py.
With --ann-file, image ids and category are those of the annotations.

python tools/detect.py yolox_nano.onnx data/coco/val2017 --out boxes.json \
    --ann-file data/coco/annotations/person_keypoints_val2017.json
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from dyrelu_pose.config.arguments import add_detector_arguments
from dyrelu_pose.datasets.load_image import ImageError, read_image
from dyrelu_pose.detection import PersonDetector
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.inference.bbox_file import annotated_pictures, coco_detections, named_pictures
from dyrelu_pose.records.files import check_output_file, write_text


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("detector", type=Path, help="ONNX file that finds people")
    parser.add_argument("images", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--ann-file", type=Path, help="COCO keypoints of the pictures of a folder")
    parser.add_argument(
        "--out", type=Path, default=Path("work_dirs/boxes.json"), help="file to write (%(default)s)"
    )
    add_detector_arguments(parser, bbox_thr=0.2, why=", since AP counts boxes of low scores, too")
    args = parser.parse_args(argv)
    if args.ann_file and len(args.images) > 1:
        parser.error("with --ann-file, IMAGES is the one folder that the pictures are in")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Write the boxes; exit with 1 if a picture could not be read."""
    args = parse_args(argv)
    check_output_file(args.out)
    if args.ann_file:
        pictures, category = annotated_pictures(args.ann_file, args.images[0])
    else:
        pictures, category = named_pictures(args.images)
    detector = PersonDetector(args.detector, args.bbox_thr, args.nms_thr, args.max_people)
    found: list[dict] = []
    skipped = 0
    for image, path in track(pictures, "pictures", console=Console(stderr=True), transient=True):
        try:
            found += coco_detections(image, category, detector(read_image(path)))
        except ImageError as error:
            skipped += 1
            print(f"skipped {error}", file=sys.stderr)
    write_text(args.out, json.dumps(found))
    print(f"{len(found)} boxes in {len(pictures) - skipped} pictures: {args.out}")
    if skipped:
        raise UserError(f"{skipped} of {len(pictures)} pictures were skipped")


if __name__ == "__main__":
    with user_errors():
        main()
