"""A pose model ready to use, on picture files or arrays, many people at a time."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from mmpose.models import TopdownPoseEstimator
from mmpose.structures import PoseDataSample, merge_data_samples

from dyrelu_pose.config.load import load_model_config
from dyrelu_pose.datasets.load_image import read_image
from dyrelu_pose.detection import PersonDetector
from dyrelu_pose.errors import UserError
from dyrelu_pose.paths import SHIPPED_CHECKPOINT, SHIPPED_CONFIG

from .inputs import PersonInput, check_picture, whole_box
from .load import load_trained

Picture = str | Path | np.ndarray


class PoseInferencer:
    """Finds the keypoints of the people in pictures, with a top-down pose model.

    Args:
        config: Config of the model, a file or loaded; by default that of the model in
            `checkpoints/`.
        checkpoint: Its weights; by default, and only with the default config, those in
            `checkpoints/`.
        device: Where it runs; by default a GPU if there is one.
        batch_size: People that pass through the model at once.
        detector: Finds the people of pictures that come without boxes: an ONNX file, or a
            `PersonDetector` with options of your own. Default: a picture is one person.

    Raises:
        UserError: A file is missing, the weights are of another model, the model is not top-down,
            the detector follows no known convention, or the batch size is below 1.

    Example:
        >>> from dyrelu_pose.inference import PoseInferencer
        >>> pose = PoseInferencer()
        >>> people = pose(np.zeros((128, 96, 3), np.uint8))[0].pred_instances
        >>> people.keypoints.shape, people.keypoint_scores.shape
        ((1, 17, 2), (1, 17))
    """

    def __init__(
        self,
        config: str | Path | Config | None = None,
        checkpoint: str | Path | None = None,
        device: str | None = None,
        batch_size: int = 32,
        detector: str | Path | PersonDetector | None = None,
    ) -> None:
        if config is None:
            config, checkpoint = SHIPPED_CONFIG, checkpoint or SHIPPED_CHECKPOINT
        if batch_size < 1:
            raise UserError(f"batches of {batch_size} people: take at least 1")
        if checkpoint is None:
            raise UserError("this config needs a checkpoint: name its weights")
        if not isinstance(config, Config):
            config = load_model_config(str(config))
        if isinstance(detector, str | Path):
            detector = PersonDetector(detector)
        self.detector = detector
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.batch_size = batch_size
        model = load_trained(config, checkpoint, device)
        if not isinstance(model, TopdownPoseEstimator):
            raise UserError(
                f"{type(model).__name__} is not a top-down model: pictures cannot be cut into "
                "one box per person for it"
            )
        self.person_input = PersonInput(config)
        # PyTorch's stubs take every attribute for a tensor or a module.
        model.dataset_meta = self.person_input.meta  # pyright: ignore[reportArgumentType]
        self.model = model

    def __call__(
        self, pictures: Picture | Sequence[Picture], bboxes: Sequence | None = None
    ) -> list[PoseDataSample]:
        """Return one result per picture.

        Args:
            pictures: A file or an array (H, W, 3) of bytes, blue first, or several of them.
            bboxes: For each picture the boxes of its people, (P, 4) as left, top, right, bottom
                in pixels, or (P, 5) with a score behind; None, for a picture or for all: those
                that the detector finds, or else the whole picture as one person.

        Returns:
            MMPose's data samples, with `pred_instances.keypoints` (P, K, 2) in pixels of the
            picture, `keypoint_scores` (P, K), `bboxes` (P, 4) and `bbox_scores` (P,).

        Raises:
            ImageError: A file cannot be read, or an array is not a picture.
            UserError: There are not as many entries in `bboxes` as pictures, or one is not a box.
        """
        if isinstance(pictures, Picture):
            pictures, bboxes = [pictures], None if bboxes is None else [bboxes]
        if bboxes is None:
            bboxes = [None] * len(pictures)
        if len(bboxes) != len(pictures):
            raise UserError(f"{len(pictures)} pictures need as many bboxes, not {len(bboxes)}")
        return list(self.stream(zip(pictures, bboxes, strict=True)))

    def stream(
        self, pictures: Iterable[tuple[Picture, np.ndarray | None]]
    ) -> Iterator[PoseDataSample]:
        """Yield the results of (picture, boxes) pairs in order, holding a batch at a time."""
        waiting: list[list[dict]] = []
        for picture, boxes in pictures:
            waiting.append(self._crops(picture, boxes))
            if sum(map(len, waiting)) >= self.batch_size:
                yield from self._results(waiting)
                waiting = []
        yield from self._results(waiting)

    def _crops(self, picture: Picture, boxes: np.ndarray | None) -> list[dict]:
        """Make the model's input for each person of a picture."""
        is_array = isinstance(picture, np.ndarray)
        picture = check_picture(picture) if is_array else read_image(picture)
        if boxes is None:
            boxes = self.detector(picture) if self.detector else np.array([whole_box(picture)])
        boxes = checked_boxes(boxes, picture.shape[:2])
        return [self.person_input(picture, box[:4], score=box[4]) for box in boxes]

    @torch.no_grad()
    def _results(self, waiting: list[list[dict]]) -> Iterator[PoseDataSample]:
        crops = [crop for picture in waiting for crop in picture]
        samples = []
        for start in range(0, len(crops), self.batch_size):
            batch = pseudo_collate(crops[start : start + self.batch_size])
            samples.extend(self.model.test_step(batch))
        people = iter(samples)
        for picture in waiting:
            found = [next(people) for _ in picture]
            yield merge_data_samples(found) if found else self._nobody()

    def _nobody(self) -> PoseDataSample:
        joints = self.person_input.meta["num_keypoints"]
        empty = InstanceData(
            keypoints=np.zeros((0, joints, 2), np.float32),
            keypoint_scores=np.zeros((0, joints), np.float32),
            bboxes=np.zeros((0, 4), np.float32),
            bbox_scores=np.zeros(0, np.float32),
        )
        sample = PoseDataSample()
        sample.pred_instances = empty
        return sample


def checked_boxes(boxes: np.ndarray | Sequence, shape: tuple[int, int]) -> np.ndarray:
    """Return the boxes of a picture as (P, 5) float32, the score last, 1 where there is none.

    Args:
        boxes: (P, 4) left, top, right, bottom, or (P, 5) with a score behind.
        shape: Height and width of the picture.

    Raises:
        UserError: One has no width or height, or nothing of the picture is in it; or they are of
            another shape.
    """
    boxes = np.atleast_2d(np.asarray(boxes, np.float32))
    if not boxes.size:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] not in (4, 5):
        raise UserError(
            f"boxes of shape {boxes.shape}: (P, 4) are left, top, right, bottom, (P, 5) have a "
            "score behind"
        )
    if boxes.shape[1] == 4:
        boxes = np.column_stack((boxes, np.ones(len(boxes), np.float32)))
    scores, boxes = boxes[:, 4:], boxes[:, :4]
    good = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    if not good.all():
        worst = boxes[~good][0].tolist()
        raise UserError(f"box {worst} is not left, top, right, bottom of a place in the picture")
    height, width = shape
    outside = (boxes >= [width, height, np.inf, np.inf]) | (boxes <= [-np.inf, -np.inf, 0, 0])
    if outside.any():
        first = boxes[outside.any(axis=1)][0].tolist()
        raise UserError(
            f"box {first} (left, top, right, bottom) is outside of the picture, which is "
            f"{width}x{height} pixels"
        )
    return np.concatenate((boxes, scores), axis=1)
