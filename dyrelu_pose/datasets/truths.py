"""Finds what pycocotools could not evaluate, or would evaluate wrongly, in a COCO keypoint file."""

from collections.abc import Iterator

from dyrelu_pose.errors import AnnotationError, first_of

from .checks import box_problem, entries_of, is_number, keypoints_problem, name_of
from .doubts import FRACTION, MOST


def check_truths(content: dict, ann_file: str, keypoints: int, use_area: bool = True) -> None:
    """Check that persons can be compared with an annotation file.

    Those without keypoints or without a box are not evaluated, as MMPose does not train on them.

    Args:
        content: The parsed file.
        ann_file: Its name, for the error.
        keypoints: Number of keypoints of a person.
        use_area: Whether a person's scale is its `area`, not its box.

    Raises:
        AnnotationError: Names the file, the first entry, and how many there are.
    """
    if bad := list(_bad_truths(content, keypoints, use_area)):
        raise AnnotationError(f"annotation file {ann_file}, which is evaluated: {first_of(bad)}")
    counted = [entry for entry in entries_of(content, "annotations") if _counts(entry)]
    shares = [entry for entry in counted if use_area and entry["area"] <= FRACTION]
    if len(shares) > MOST * len(counted):
        raise AnnotationError(
            f"annotation file {ann_file}, which is evaluated: annotation {shares[0].get('id')} has "
            f"the area {shares[0]['area']}, a share of its picture ({len(shares)} of "
            f"{len(counted)} like this): it has to be in pixels"
        )


def _counts(annotation: object) -> bool:
    """Whether somebody, whose entry is well formed, counts in an evaluation."""
    return (
        isinstance(annotation, dict)
        and {"bbox", "keypoints"} <= annotation.keys()
        and not annotation.get("iscrowd")
        and any(annotation["keypoints"][2::3])
    )


def _bad_truths(content: dict, keypoints: int, use_area: bool) -> Iterator[str]:
    categories = content.get("categories")
    if not isinstance(categories, list) or not categories:
        yield "it has no 'categories', a list of dict(id, name): COCO's evaluation goes by them"
        return
    ids = {category.get("id") for category in categories if isinstance(category, dict)}
    if not all(map(is_number, ids)):
        yield f"an id of its 'categories' is not a number: {sorted(map(repr, ids))}"
        return
    for i, annotation in enumerate(entries_of(content, "annotations")):
        if not isinstance(annotation, dict) or not {"bbox", "keypoints"} <= annotation.keys():
            continue
        if problem := _problem(annotation, ids, keypoints, use_area):
            yield f"annotation {name_of(annotation, i)} {problem}"


def _problem(annotation: dict, categories: set, keypoints: int, use_area: bool) -> str | None:
    category = annotation.get("category_id")
    if not is_number(category) or category not in categories:
        listed = ", ".join(map(str, sorted(categories)))
        return f"has the category_id {category!r}, which is not in its 'categories' ({listed})"
    if annotation.get("iscrowd", 0) not in (0, 1):
        return f"has the iscrowd {annotation['iscrowd']!r}, neither 0 nor 1"
    problem = box_problem(annotation["bbox"]) or keypoints_problem(
        annotation["keypoints"], keypoints
    )
    if problem:
        return problem
    counts = _counts(annotation)
    if counts and 0 in annotation["bbox"][2:]:
        width, height = annotation["bbox"][2:]
        return f"has a bbox of {width} x {height} pixels and labelled keypoints"
    if use_area:
        area = annotation.get("area")
        if area is None or not is_number(area) or area < 0 or (counts and area == 0):
            found = (
                f"the area {area!r}, not a positive number" if "area" in annotation else "no area"
            )
            return f"has {found}: correct it, or evaluate with use_area=False, by the boxes"
    return None
