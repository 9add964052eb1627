"""Poses of everything in some files and folders, drawn and listed."""

import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from mmpose.structures import PoseDataSample

from dyrelu_pose.datasets.detections import PERSON
from dyrelu_pose.datasets.load_image import ImageError, LoadImage, read_image
from dyrelu_pose.errors import UserError
from dyrelu_pose.records.files import write_text

from .boxes import Boxes, Listed
from .files import RESULTS, image_ids
from .inferencer import PoseInferencer, checked_boxes
from .outputs import Drawer, coco_results
from .people_of_video import PeopleOfVideo
from .videos import Video, VideoFile


@dataclass
class Image:
    """A picture or frame: number and file name in the results, and its entry among the boxes."""

    number: int
    name: str
    listed: Listed | None


Items = Iterable[tuple[Image, np.ndarray]]
Predicted = Iterator[tuple[Image, np.ndarray, PoseDataSample]]


@dataclass
class Found:
    """What a run found: pictures or frames, people in them, and files that it could not read.

    Attributes:
        empty: Names of pictures and videos in which nobody is.
    """

    pictures: int = 0
    people: int = 0
    skipped: int = 0
    empty: list[str] = field(default_factory=list)


class Demo:
    """Draws the people of pictures and videos, and writes their keypoints beside them.

    Args:
        pose: The model.
        out: Folder to write to.
        boxes: Person boxes; None: those of the model's detector, or without one every picture is
            taken for one person.
        draw: Draws a prediction on its picture.
        every: In videos, how often the detector looks, see `PeopleOfVideo`.
        smooth: Whether the keypoints in videos are steadied.

    What it writes has the numbers and the category of the boxes, where they come from a file that
    has numbers.
    """

    def __init__(
        self,
        pose: PoseInferencer,
        out: Path,
        boxes: Boxes | None,
        draw: Drawer,
        every: int = 1,
        smooth: bool = False,
    ) -> None:
        self.pose, self.out, self.boxes, self.draw = pose, out, boxes, draw
        self.every, self.smooth = every, smooth
        self.found = Found()

    def pictures(self, files: list[tuple[Path, Path]], progress=lambda items: items) -> None:
        """Draw pictures, given as (file, name below the output folder); write RESULTS.

        A file that is not a picture is skipped with a message.

        Raises:
            UserError: The boxes are of other pictures, or one is outside of its picture.
        """
        found: list[Listed | None] = [None] * len(files)
        if self.boxes is not None:
            found = self.boxes.assign(files)
            if not any(listed and listed.boxes for listed in found):
                unsure = self.boxes.unsure
                raise UserError(
                    f"{self.boxes.path} has no box for any of the {len(files)} pictures"
                    + (f"; {unsure} have scores below --bbox-thr" if unsure else "")
                )
        names = [name for _, name in files]
        images = [
            Image(number, str(name), listed)
            for number, name, listed in zip(_numbers(names, found), names, found, strict=True)
        ]
        self._check_boxes(files, images)
        with _results_file(self.out / RESULTS) as entries:
            for image, picture, sample in self._predicted(self._readable(files, images, progress)):
                self._write(self.out / image.name, self.draw(picture, sample))
                entries += self._results(image, sample)
                if not len(sample.pred_instances):
                    self.found.empty.append(image.name)

    def video(self, path: Path, name: Path, progress=lambda frames, total: frames) -> None:
        """Draw a video, and write NAME.keypoints.json with the frames' numbers as image ids.

        A file that is not a video is skipped with a message; one that is cut is drawn as far as it
        goes, and counts as skipped.

        Raises:
            UserError: OpenCV cannot write it, or a box is outside of its frame.
        """
        target = self.out / name
        try:
            video = Video(path)
        except ImageError as error:
            self._skip(error)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        frames = enumerate(progress(video, video.frames))
        items = ((self._frame(path, name, number), frame) for number, frame in frames)
        by_frame = self.boxes is None and self.pose.detector is not None
        predict = self._followed(video.fps) if by_frame else self._predicted
        drawn = VideoFile(target, video.fps)
        with _results_file(target.with_suffix(".keypoints.json")) as entries, closing(drawn):
            for image, frame, sample in predict(items):
                drawn.write(self.draw(frame, sample))
                entries += self._results(image, sample)
        if not entries:
            self.found.empty.append(str(name))
        if video.missing:
            self.found.skipped += 1
            print(
                f"{path}: only {video.read} of {video.frames} frames can be read, it is cut or "
                "damaged",
                file=sys.stderr,
            )

    def _frame(self, path: Path, name: Path, number: int) -> Image:
        if self.boxes is None:
            return Image(number, path.name, None)
        places = (file.with_suffix("") / str(number) for file in (path, name))
        listed = self.boxes.find(*places)
        if listed is not None and listed.id is not None:
            number = listed.id
        return Image(number, path.name, listed)

    def _results(self, image: Image, sample: PoseDataSample) -> list[dict]:
        category = PERSON if self.boxes is None else self.boxes.category
        return coco_results(sample, image.number, image.name, category)

    def _skip(self, error: ImageError) -> None:
        self.found.skipped += 1
        print(f"skipped {error}", file=sys.stderr)

    def _readable(self, files, images, progress) -> Iterator[tuple[Image, np.ndarray]]:
        for (path, _), image in progress(list(zip(files, images, strict=True))):
            try:
                yield image, read_image(path)
            except ImageError as error:
                self._skip(error)

    def _predicted(self, items: Items) -> Predicted:
        """Yield (image, picture, prediction) of (image, picture)."""
        waiting: deque[tuple[Image, np.ndarray]] = deque()

        def pairs() -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
            for image, picture in items:
                waiting.append((image, picture))
                yield picture, self._boxes(image, picture.shape[:2])

        for sample in self.pose.stream(pairs()):
            self._count(sample)
            yield *waiting.popleft(), sample

    def _followed(self, fps: float) -> Callable[[Items], Predicted]:
        """Return what yields (image, frame, prediction) of a video's frames, people numbered."""
        people = PeopleOfVideo(self.pose, fps, self.every, self.smooth)

        def predict(items: Items) -> Predicted:
            for image, frame in items:
                sample = people(frame)
                self._count(sample)
                yield image, frame, sample

        return predict

    def _count(self, sample: PoseDataSample) -> None:
        self.found.pictures += 1
        self.found.people += len(sample.pred_instances)

    def _check_boxes(self, files: list[tuple[Path, Path]], images: list[Image]) -> None:
        """Check all boxes against the headers of their pictures, before any is drawn."""
        load = LoadImage()
        for (path, _), image in zip(files, images, strict=True):
            if image.listed and (shape := load.shape_in_header(path)):
                self._boxes(image, shape)

    def _boxes(self, image: Image, shape: tuple[int, int]) -> np.ndarray | None:
        if self.boxes is None:
            return None
        if image.listed is None:
            return np.zeros((0, 4))
        try:
            return checked_boxes(image.listed.boxes, shape)
        except UserError as error:
            raise UserError(f"boxes {self.boxes.path}: {image.listed.name}: {error}") from error

    def _write(self, path: Path, picture: np.ndarray) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        done, content = cv2.imencode(path.suffix, np.ascontiguousarray(picture))
        if not done:
            raise UserError(f"{path}: OpenCV cannot write this format")
        path.write_bytes(content.tobytes())


@contextmanager
def _results_file(path: Path) -> Iterator[list[dict]]:
    """Yield a list of results to be written in the end, and what there is of it after an error."""
    entries: list[dict] = []
    try:
        yield entries
    except BaseException:
        if entries:
            write_text(path, json.dumps(entries))
        raise
    write_text(path, json.dumps(entries))


def _numbers(names: list[Path], found: list[Listed | None]) -> list[int]:
    """Return the image ids of pictures: those in the file of boxes, if it has one for each."""
    numbers = image_ids(names)
    if any(listed and listed.boxes and listed.id is None for listed in found):
        return numbers
    return [
        number if listed is None or listed.id is None else listed.id
        for number, listed in zip(numbers, found, strict=True)
    ]
