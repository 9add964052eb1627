"""Frames in, frames out: videos through OpenCV."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from dyrelu_pose.datasets.load_image import ImageError
from dyrelu_pose.errors import UserError

FEW = 2  # last frames that decoders may keep to themselves; of long videos a twentieth is none


class Video:
    """A video file that can be iterated over once, frame by frame.

    Attributes:
        fps: Frames per second.
        frames: Their number as the file tells it, which is not always right.
        read: How many have been read.

    Raises:
        ImageError: OpenCV cannot read the file.
    """

    def __init__(self, path: Path) -> None:
        # Absolute: FFmpeg takes what stands before a colon for a protocol.
        self._capture = cv2.VideoCapture(str(path.absolute()))
        if not self._capture.isOpened():
            raise ImageError(f"{path}: not a video that OpenCV can decode")
        self.fps = self._capture.get(cv2.CAP_PROP_FPS) or 25.0
        self.frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.read, self._time = 0, 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield (H, W, 3) bytes, blue first."""
        while True:
            more, frame = self._capture.read()
            if not more:
                self._capture.release()
                return
            self.read += 1
            self._time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            yield frame

    @property
    def missing(self) -> int:
        """Frames that the file tells of and does not have, once it has been read.

        Where the frames are not equally long, their number may be no more than the length of the
        video times a rate: the time of the last one has to be missing too.
        """
        to_come = self.frames - 1 - round(self._time * self.fps)
        missing = min(self.frames - self.read, to_come) if self.read else max(self.frames, 1)
        return missing if missing > max(min(FEW, self.frames // 2), self.frames // 20) else 0


class VideoFile:
    """An MP4 that is written frame by frame, all of the first one's size.

    Raises:
        UserError: OpenCV cannot write there.
    """

    def __init__(self, path: Path, fps: float) -> None:
        # MPEG-4 counts time in at most 65,535 parts of a second.
        self.path, self.fps = path, fps if fps < 65 else round(fps, 2)
        self._writer: cv2.VideoWriter | None = None

    def write(self, frame: np.ndarray) -> None:
        """Append a frame, (H, W, 3) bytes, blue first."""
        if self._writer is None:
            size = frame.shape[1::-1]
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self.path), code, self.fps, size)
            if not self._writer.isOpened():
                raise UserError(f"{self.path}: OpenCV cannot write a video of {size} pixels here")
        self._writer.write(frame)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
