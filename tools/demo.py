"""Find people's keypoints in pictures: `python tools/demo.py IMAGE`.

Takes pictures, folders of pictures and videos. Writes each again with skeletons drawn, and all
keypoints with their scores to results.keypoints.json, in COCO's results format. Without --config
and --checkpoint the model in checkpoints/ is used.

A top-down model needs a box per person. --detector finds them with a person detector, an ONNX file
of YOLOX or NanoDet; none comes with this project (docs/deploy.md says where to get one). People in
videos are then tracked and numbered. --bboxes takes a JSON file of boxes instead: COCO annotations,
COCO detections or a dict by file name. Keypoints then have the image ids and the category of the
boxes, if these have any. Without either, each picture is treated as one person.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import track

from dyrelu_pose.config.arguments import add_detector_arguments, at_least_one, finite
from dyrelu_pose.detection import PersonDetector
from dyrelu_pose.errors import UserError, plural, some, user_errors
from dyrelu_pose.inference import PoseInferencer
from dyrelu_pose.inference.boxes import FORMATS, Boxes
from dyrelu_pose.inference.demo import Demo
from dyrelu_pose.inference.files import find_files, is_video
from dyrelu_pose.inference.outputs import Drawer
from dyrelu_pose.records.files import check_output_folder


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="IMAGE|FOLDER|VIDEO")
    parser.add_argument("--config", help="config of a top-down model (that of checkpoints/)")
    parser.add_argument("--checkpoint", help="its weights (those in checkpoints/)")
    parser.add_argument("--device", help="cpu, cuda:0, ... (a GPU if there is one)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("work_dirs/predictions"),
        help="folder to write (%(default)s)",
    )
    boxes = parser.add_mutually_exclusive_group()
    boxes.add_argument("--detector", type=Path, metavar="FILE", help="ONNX file that finds people")
    boxes.add_argument("--bboxes", type=Path, help=f"JSON file of person boxes; {FORMATS}")
    add_detector_arguments(parser, bbox_thr=0.3)
    parser.add_argument(
        "--every", type=at_least_one, default=1, metavar="N",
        help="in videos, detect people in every N-th frame and track them in the others (1)",
    )  # fmt: skip
    parser.add_argument(
        "--smooth",
        action="store_true",
        help="smooth the keypoints in videos with a one-euro filter",
    )
    parser.add_argument(
        "--kpt-thr", type=finite, default=0.3, help="lowest score of a drawn keypoint (%(default)s)"
    )
    parser.add_argument(
        "--draw-bbox", action="store_true", help="draw the boxes, too (always with --detector)"
    )
    parser.add_argument(
        "--batch-size",
        type=at_least_one,
        default=32,
        help="people per pass of the model (%(default)s)",
    )
    args = parser.parse_args(argv)
    if args.detector is None and (args.every > 1 or args.smooth or args.max_people):
        parser.error("--every, --smooth and --max-people need --detector")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Draw what the command line names; exit with 1 if a file could not be read."""
    args = parse_args(argv)
    check_output_folder(args.out)
    files = find_files(args.inputs, args.out)
    boxes = Boxes(args.bboxes, args.bbox_thr) if args.bboxes else None
    detector = None
    if args.detector:
        detector = PersonDetector(args.detector, args.bbox_thr, args.nms_thr, args.max_people)
    pose = PoseInferencer(args.config, args.checkpoint, args.device, args.batch_size, detector)
    draw = Drawer(pose.person_input.meta, args.kpt_thr, args.draw_bbox or detector is not None)
    demo = Demo(pose, args.out, boxes, draw, args.every, args.smooth)

    start = time.perf_counter()
    pictures = [pair for pair in files if not is_video(pair[0])]
    if pictures:
        demo.pictures(pictures, lambda items: track(items, "pictures"))
    for path, name in files:
        if is_video(path):
            demo.video(
                path,
                name,
                lambda frames, total, text=path.name: track(frames, text, total or None),
            )
    found, seconds = demo.found, time.perf_counter() - start
    if found.empty:
        print(f"nobody in {some(found.empty, 3)}")
    people = "1 person" if found.people == 1 else f"{found.people} people"
    pictures = plural(found.pictures, "picture")
    print(f"{people} in {pictures}, {seconds:.1f} s: see {args.out}")
    if found.skipped:
        raise UserError(f"{found.skipped} of {len(files)} files were skipped, or read in part")


if __name__ == "__main__":
    with user_errors():
        main()
