"""Poses of everything in some files and folders, drawn and listed."""

import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from mmpose.structures import PoseDataSample

from dyrelu_pose.datasets.load_image import ImageError, read_image
from dyrelu_pose.errors import UserError

from .boxes import Boxes
from .files import image_ids
from .inferencer import PoseInferencer
from .outputs import Drawer, coco_results
from .videos import Video, VideoFile

RESULTS = "results.keypoints.json"

Key = TypeVar("Key")


@dataclass
class Found:
    """What a run found: pictures or frames, people in them, and the files that it had to skip."""

    pictures: int = 0
    people: int = 0
    skipped: int = 0


class Demo:
    """Draws the people of pictures and videos, and writes their keypoints beside them.

    Args:
        pose: The model.
        out: Folder to write to.
        boxes: Person boxes; None takes every picture for one person.
        draw: Draws a prediction on its picture.
    """

    def __init__(self, pose: PoseInferencer, out: Path, boxes: Boxes | None, draw: Drawer) -> None:
        self.pose, self.out, self.boxes, self.draw = pose, out, boxes, draw
        self.found = Found()

    def pictures(self, files: list[tuple[Path, Path]], progress=lambda items: items) -> None:
        """Draw pictures, given as (file, name below the output folder); write RESULTS.

        A file that is no picture is skipped with a message.

        Raises:
            UserError: A drawn picture would replace its own file, or the boxes are of others.
        """
        for path, name in files:
            check_target(path, self.out / name)
        if self.boxes is not None and not any(path.name in self.boxes for path, _ in files):
            raise UserError(f"{self.boxes.path} has no box for any of the {len(files)} pictures")
        entries = []
        ids = dict(zip(files, image_ids([name for _, name in files]), strict=True))
        for (path, name), picture, sample in self._predicted(self._readable(files, progress)):
            self._write(self.out / name, self.draw(picture, sample))
            entries += coco_results(sample, ids[path, name], str(name))
        self._dump(self.out / RESULTS, entries)

    def video(self, path: Path, name: Path, progress=lambda frames, total: frames) -> None:
        """Draw a video, and write NAME.keypoints.json with the frames' numbers as image ids.

        A file that is no video is skipped with a message.

        Raises:
            UserError: OpenCV cannot write it, or it would replace its own file.
        """
        target = self.out / name
        check_target(path, target)
        try:
            video = Video(path)
        except ImageError as error:
            self._skip(error)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        drawn, entries = VideoFile(target, video.fps), []
        frames = enumerate(progress(video, video.frames))
        items = ((number, frame, str(number)) for number, frame in frames)
        for number, frame, sample in self._predicted(items):
            drawn.write(self.draw(frame, sample))
            entries += coco_results(sample, number, path.name)
        drawn.close()
        self._dump(target.with_suffix(".keypoints.json"), entries)

    def _skip(self, error: ImageError) -> None:
        self.found.skipped += 1
        print(f"skipped {error}", file=sys.stderr)

    def _readable(self, files, progress) -> Iterator[tuple[tuple[Path, Path], np.ndarray, str]]:
        for path, name in progress(files):
            try:
                yield (path, name), read_image(path), path.name
            except ImageError as error:
                self._skip(error)

    def _predicted(
        self, items: Iterable[tuple[Key, np.ndarray, str]]
    ) -> Iterator[tuple[Key, np.ndarray, PoseDataSample]]:
        """Yield (key, picture, prediction) of (key, picture, name among the boxes)."""
        waiting: deque[tuple[Key, np.ndarray]] = deque()

        def pairs() -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
            for key, picture, name in items:
                waiting.append((key, picture))
                yield picture, None if self.boxes is None else self.boxes[name]

        for sample in self.pose.stream(pairs()):
            self.found.pictures += 1
            self.found.people += len(sample.pred_instances)
            yield *waiting.popleft(), sample

    def _write(self, path: Path, picture: np.ndarray) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        done, content = cv2.imencode(path.suffix, np.ascontiguousarray(picture))
        if not done:
            raise UserError(f"{path}: OpenCV cannot write this format")
        path.write_bytes(content.tobytes())

    def _dump(self, path: Path, entries: list[dict]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(entries))


def check_target(source: Path, target: Path) -> None:
    """Raise a UserError if writing `target` would replace `source`."""
    if target.exists() and target.samefile(source):
        raise UserError(f"{source} would be replaced by its drawn copy: name another --out")
