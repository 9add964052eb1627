"""Cuts the persons of one image out of it, and maps their annotations."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dyrelu_pose.datasets.load_image import ImageError, read_image
from dyrelu_pose.datasets.persons import clipped_box
from dyrelu_pose.errors import UserError

from .geometry import Crop, crop_of
from .source import Source

DECIMALS = 3  # of coordinates and areas: half a thousandth of a pixel at most is lost

Person = tuple[dict, dict]  # the entry of a crop's image, and its annotation


@dataclass(frozen=True)
class Settings:
    """How crops are stored.

    Args:
        quality: JPEG quality, 1 to 100.
        oversample: Stored pixels per pixel of the network's input, along each axis, for the padded
            box. An augmentation that zooms in by as much still reads one stored pixel per pixel.
            Images are never enlarged.

    Raises:
        UserError: A value is out of range.
    """

    quality: int = 90
    oversample: float = 2.0  # MMPose's default augmentation magnifies by as much

    def __post_init__(self):
        if not 1 <= self.quality <= 100:
            raise UserError(f"JPEG quality {self.quality}: it goes from 1 to 100")
        if not self.oversample >= 1:
            raise UserError(f"oversample {self.oversample}: below 1, detail of the input is lost")


def crop_persons(
    folder: Path, source: Source, settings: Settings, entry: tuple[dict, list[dict]]
) -> list[Person] | ImageError:
    """Write the crops of an image's persons to `folder`.

    Args:
        folder: Folder of the crops.
        source: The split that the image is of.
        settings: How to store the crops.
        entry: The image's entry in the annotation file, and the annotations of its persons.

    Returns:
        The entries of the crops, or what is wrong with the image.
    """
    image, annotations = entry
    try:
        shape = image["height"], image["width"]
        picture = read_image(source.images / image["file_name"], shape, source.color_type)
    except ImageError as error:
        return error
    persons = []
    for annotation in annotations:
        box = clipped_box(annotation, image)
        keypoints = np.reshape(annotation["keypoints"], (-1, 3)).astype(float)
        region = source.region(box, keypoints)
        crop = crop_of(region, _scale(box, source, settings), picture.shape[1::-1])
        cut = crop.cut(picture)
        name = f"{annotation['id']:012d}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, settings.quality]
        (folder / name).write_bytes(cv2.imencode(".jpg", cut, quality)[1].tobytes())
        height, width = cut.shape[:2]
        size = dict(file_name=name, width=width, height=height)
        persons.append(
            (_image(image, annotation, size, crop), _annotation(annotation, box, keypoints, crop))
        )
    return persons


def _scale(box: np.ndarray, source: Source, settings: Settings) -> float:
    """Return the factor that brings the padded box to the size at which it is stored."""
    augmentation = source.augmentations[0]
    width, _ = augmentation.padded((box[2:] - box[:2]) * augmentation.padding)
    return min(1.0, float(settings.oversample * augmentation.input_size[0] / width))


def _image(image: dict, annotation: dict, size: dict, crop: Crop) -> dict:
    """Return the entry of a crop in the annotation file's `images`."""
    license = dict(license=image["license"]) if "license" in image else {}
    origin = dict(
        image_id=image["id"],
        file_name=image["file_name"],
        offset=crop.offset.tolist(),
        scale=crop.scale,
    )
    return dict(id=annotation["id"], **size, **license, origin=origin)


def _annotation(annotation: dict, box: np.ndarray, keypoints: np.ndarray, crop: Crop) -> dict:
    """Return a person's annotation in the pixels of its crop."""
    labelled = keypoints[:, 2:] > 0
    points = np.where(labelled, crop.points(keypoints[:, :2]), 0)  # not labelled: 0, 0, 0
    mapped = dict(
        id=annotation["id"],
        image_id=annotation["id"],
        category_id=annotation["category_id"],
        iscrowd=0,
        bbox=[*crop.points(box[:2]), *(box[2:] - box[:2]) * crop.scale],
        num_keypoints=int(labelled.sum()),
        keypoints=np.column_stack([points, keypoints[:, 2]]).ravel().tolist(),
    )
    if "area" in annotation:
        mapped |= dict(area=annotation["area"] * crop.scale**2)
    return {name: _rounded(value) for name, value in mapped.items()}


def _rounded(value):
    if isinstance(value, list):
        return [round(float(number), DECIMALS) for number in value]
    return round(value, DECIMALS) if isinstance(value, float) else value
