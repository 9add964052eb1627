"""Which persons of a COCO keypoint file are cropped: in MMPose's order, those it trains on."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from dyrelu_pose.datasets.bad_entries import check_labelled, checked, read_annotations
from dyrelu_pose.datasets.persons import reason_to_skip
from dyrelu_pose.errors import AnnotationError


@dataclass(frozen=True)
class Persons:
    """The persons of an annotation file.

    Args:
        content: The parsed file, without what is left out as wrong.
        by_image: Pairs of an image's entry and the annotations of its persons, in MMPose's order.
        skipped: Number of annotations left out, by reason.
        notes: What there is to say about the file.
    """

    content: dict
    by_image: list[tuple[dict, list[dict]]]
    skipped: Counter
    notes: list[str]


def read_persons(path: Path, keypoints: int, skip_bad_samples: bool = False) -> Persons:
    """Read an annotation file as a training does, leaving out what that leaves out.

    Args:
        path: The file.
        keypoints: Number of keypoints of a person.
        skip_bad_samples: Leave out entries that are wrong, too.

    Raises:
        AnnotationError: It is not a COCO keypoint file, holds nobody to crop, or see `checked`.
    """
    content = read_annotations(path)
    content, notes = checked(content, str(path), keypoints, skip_bad_samples)
    check_labelled(content, str(path))
    by_image, skipped = _group(content)
    if not by_image:
        raise AnnotationError(f"annotation file {path} has nobody to crop: {dict(skipped)}")
    return Persons(content, by_image, skipped, notes)


def _group(content: dict) -> tuple[list[tuple[dict, list[dict]]], Counter]:
    images = {image["id"]: image for image in content["images"]}
    skipped, groups = Counter(), defaultdict(list)
    for annotation in content["annotations"]:
        reason = reason_to_skip(annotation, images[annotation["image_id"]])
        if reason:
            skipped[reason] += 1
        else:
            groups[annotation["image_id"]].append(annotation)
    return [(image, groups[id]) for id, image in images.items() if id in groups], skipped
