"""Runs one sample of each data set through pipeline, loss and prediction, before a runner does."""

import copy
import json
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose
from mmpose.datasets import CombinedDataset
from mmpose.models import TopdownPoseEstimator
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import DATASETS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from dyrelu_pose.datasets.bad_entries import checked, has_lists, read_annotations
from dyrelu_pose.datasets.coco import keypoints_of, reads_lists
from dyrelu_pose.datasets.crop_array import CropArrayDataset
from dyrelu_pose.datasets.persons import reason_to_skip
from dyrelu_pose.engine.pipeline_switch import change_pipeline
from dyrelu_pose.errors import AnnotationError, UserError, described

from .errors import ConfigError
from .parts import nested_data_sets, registered
from .quiet import quietly

PICTURES = 5  # of each annotation file


@dataclass(frozen=True)
class Rehearsal:
    """What a data set makes of one of its persons or pictures.

    Attributes:
        key: Where the data set is in the config.
        sample: What came out of its pipeline.
        meta: What it says about its keypoints.
    """

    key: str
    sample: PoseDataSample
    meta: dict


@quietly()
def rehearse(
    cfg: Config,
    split: str,
    size: tuple[int, int] | None = None,
    later: tuple[str, Sequence[dict]] | None = None,
) -> Rehearsal | None:
    """Take one sample of the data set of a split through its pipeline.

    The set is built with a few pictures of each annotation file.

    Args:
        cfg: The config.
        split: 'train', 'val' or 'test'.
        size: Width and height that images for a top-down model have to have, if they have to.
        later: Config key and transforms of a pipeline that a hook changes to, to take instead.

    Returns:
        None: The data set is a `CropArrayDataset` or has `indices`; or none of its pictures with a
            person is here.

    Raises:
        ConfigError: A step of the pipeline fails, or an estimator cannot take what comes out.
    """
    key, config = f"{split}_dataloader.dataset", cfg[f"{split}_dataloader"].dataset
    with TemporaryDirectory() as folder:
        try:
            dataset = _small(config, folder)
            if dataset is None:
                return None
            if later:
                key, steps = later
                change_pipeline(dataset, Compose(steps))
            sample = dataset[0]
        except AnnotationError:  # a few persons may all look odd
            return None
        except UserError:
            raise
        except Exception as error:  # of a transform
            raise ConfigError(_failed(key, config.get("type"), error)) from error
    _check_combined(key, dataset)
    packed = _check_packed(key, sample, cfg, size)
    _check_preprocessed(key, packed, cfg)
    return Rehearsal(key, packed["data_samples"], dataset.metainfo)


def _small(config: dict, folder: str) -> BaseDataset | None:
    """Build a data set with a few pictures of each annotation file; None if that cannot be."""
    config = copy.deepcopy(config)
    for number, (_, part, _) in enumerate(nested_data_sets("", config)):
        kind = registered(DATASETS, part)
        if part.get("sample_ratio_factor"):  # of so few, a share might be none
            part["sample_ratio_factor"] = [
                1 if 0 < n < 1 else n for n in part["sample_ratio_factor"]
            ]
        if kind is CropArrayDataset or part.get("indices") is not None:
            return None
        if isinstance(kind, type) and reads_lists(kind):
            few = _few(part)
            if few is None:
                return None
            path = Path(folder, f"{number}.json")
            path.write_text(json.dumps(few), encoding="utf-8")
            part.update(ann_file=str(path), bbox_file=None)
    return cast(BaseDataset, DATASETS.build(config))


def _few(part: dict) -> dict | None:
    """Return the content of a data set's file with a few pictures that are there, if any are."""
    unread = {key: value for key, value in part.items() if key != "pipeline"}
    dataset = DATASETS.build(copy.deepcopy(unread | dict(lazy_init=True)))
    skip = part.get("skip_bad_samples")
    ann_file, folder = str(dataset.ann_file), dataset.data_prefix.get("img", "")
    content = read_annotations(ann_file)  # which has been checked
    if not has_lists(content):  # pictures without truths, as of COCO's test-dev
        return None
    if skip:
        content, _ = checked(content, ann_file, keypoints_of(dataset), skip)
    images = {image["id"]: image for image in content["images"]}
    persons: dict[object, list[dict]] = {}
    for entry in content["annotations"]:
        id = entry["image_id"]
        if id in persons:
            persons[id].append(entry)
        elif (
            len(persons) < PICTURES
            and id in images
            and id % dataset.sample_interval == 0
            and reason_to_skip(entry, images[id]) is None
            and Path(folder, images[id]["file_name"]).is_file()
        ):
            persons[id] = [entry]
    if not persons:
        return None
    annotations = [entry for of_image in persons.values() for entry in of_image]
    return content | dict(images=[images[id] for id in persons], annotations=annotations)


def _failed(key: str, kind: object, error: Exception) -> str:
    """Return what to say of an error of a data set: which step of a pipeline raised it."""
    owners = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__))
    steps = [owner for owner in owners if isinstance(owner, BaseTransform)]
    if not steps:
        return f"{key} of the config, of {kind}, gives no sample: {described(error)}"
    step = f"{type(steps[-1]).__name__} in the pipeline of {key} of the config"
    if isinstance(error, KeyError):
        return f"{step} needs {error}, which no step before it makes: mind their order"
    return f"{step} fails: {described(error)}"


def _check_combined(key: str, dataset: object) -> None:
    """Check that a combined data set describes as many keypoints as its parts have."""
    if not isinstance(dataset, CombinedDataset):
        return
    count = dataset.metainfo["num_keypoints"]
    for number, part in enumerate(dataset.datasets):
        sample = part[0]
        found = sample["keypoints"].shape[1] if "keypoints" in sample else count
        if found != count:
            raise ConfigError(
                f"{key}.metainfo of the config describes {count} keypoints, and its datasets."
                f"{number} has {found}: make them the same, by KeypointConverter if they differ"
            )


def _check_packed(key: str, sample: object, cfg: Config, size: tuple[int, int] | None) -> dict:
    """Return a sample that is what an estimator takes, and of the size that it is for."""
    packed = sample if isinstance(sample, dict) else {}
    if not isinstance(packed.get("data_samples"), PoseDataSample) or "inputs" not in packed:
        raise ConfigError(
            f"the pipeline of {key} of the config ends without PackPoseInputs: a sample has no "
            "inputs and data_samples, which a model takes"
        )
    model, inputs = cfg.get("model") or {}, packed["inputs"]
    estimator = model.get("estimator", model.get("type"))
    if size and estimator == "TopdownPoseEstimator" and isinstance(inputs, torch.Tensor):
        height, width = inputs.shape[-2:]
        if (width, height) != size:
            raise ConfigError(
                f"the pipeline of {key} of the config makes images of {width} x {height} (WxH), "
                f"and the model is run on {size[0]} x {size[1]}: is there a TopdownAffine?"
            )
    scale = packed["data_samples"].metainfo.get("input_scale")
    if scale is not None and not np.all(np.asarray(scale) > 0):
        raise ConfigError(
            f"the pipeline of {key} of the config makes boxes of {scale[0]} x {scale[1]} pixels: "
            "is the padding of GetBBoxCenterScale, or a scale_factor, 0?"
        )
    return packed


def _check_preprocessed(key: str, packed: dict, cfg: Config) -> None:
    """Check that a sample is finite where the model's data preprocessor has normalised it."""
    config = (cfg.get("model") or {}).get("data_preprocessor")
    if not isinstance(config, dict) or not isinstance(packed["inputs"], torch.Tensor):
        return
    batch = dict(inputs=[packed["inputs"]], data_samples=[copy.deepcopy(packed["data_samples"])])
    try:
        inputs = MODELS.build(copy.deepcopy(config))(batch)["inputs"]
    except Exception as error:  # the preprocessor's own code
        raise ConfigError(
            f"model.data_preprocessor of the config fails on a sample of {key}: {described(error)}"
        ) from error
    if isinstance(inputs, torch.Tensor) and not bool(torch.isfinite(inputs).all()):
        raise ConfigError(
            f"model.data_preprocessor of the config makes values that are not finite of a sample "
            f"of {key}: is a std 0? It is {dict(config)}"
        )


@quietly()
def rehearse_head(
    cfg: Config,
    model: nn.Module,
    features: Mapping[str, Any],
    rehearsals: Mapping[str, Rehearsal | None],
) -> None:
    """Compute the loss and a prediction of a top-down model's head, from features of zeros.

    Args:
        cfg: The config.
        model: What it builds.
        features: What the head takes of one image of each split, without values; None if that is
            not known.
        rehearsals: A sample of each split.

    Raises:
        ConfigError: It cannot, or the loss is not finite.
    """
    if type(model) is not TopdownPoseEstimator:
        return
    head = cast(BaseHead, MODELS.build(copy.deepcopy(cfg.model.head)))
    head.eval()
    train_cfg, test_cfg = cast(dict, model.train_cfg), cast(dict, model.test_cfg)
    for split, rehearsal in rehearsals.items():
        if rehearsal is None or features[split] is None:
            continue
        given = zeros(features[split])
        samples = [copy.deepcopy(rehearsal.sample) for _ in range(2)]
        if split == "train":
            _rehearse_loss(head, train_cfg, given, samples, rehearsal.key)
        else:
            _rehearse_prediction(head, test_cfg, given, samples, rehearsal.key)


@torch.no_grad()
def _rehearse_loss(
    head: BaseHead, train_cfg: dict, features: Any, samples: list[PoseDataSample], key: str
) -> None:
    said = f"model.head.loss of the config, of {type(head).__name__}"
    try:
        losses = head.loss(features, samples, train_cfg=train_cfg)
    except Exception as error:  # the head's own code
        raise ConfigError(
            f"{said}, cannot be computed of a sample of {key}, whose encoder (GenerateTarget) and "
            f"pipeline make its targets: {described(error)}"
        ) from error
    for name, loss in losses.items():
        if name.startswith("loss") and not bool(torch.isfinite(torch.as_tensor(loss)).all()):
            raise ConfigError(
                f"{said}, is not finite for a sample of {key} and features of zeros: {name} "
                f"is {loss}; look at its encoder (GenerateTarget)"
            )


@torch.no_grad()
def _rehearse_prediction(
    head: BaseHead, test_cfg: dict, features: Any, samples: list[PoseDataSample], key: str
) -> None:
    taken = [features, features] if test_cfg.get("flip_test") else features
    try:
        head.predict(taken, samples, test_cfg=test_cfg)
    except Exception as error:  # the head's, or the decoder's own code
        hint, flipped = "", samples[0].metainfo.get("flip_indices")
        if isinstance(error, AssertionError) and test_cfg.get("flip_test") and flipped is not None:
            hint = (
                f" (flip_test swaps the {len(flipped)} keypoints of the data set, and the head has "
                "to have as many)"
            )
        raise ConfigError(
            f"model.head of the config, {type(head).__name__}, cannot predict for a sample of "
            f"{key}: {described(error)}{hint}; model.test_cfg is {dict(test_cfg)}"
        ) from error


def zeros(features: object) -> Any:
    """Return zeros for two images, in the shape of the features of one."""
    if isinstance(features, torch.Tensor):
        return torch.zeros(2, *features.shape[1:])
    if isinstance(features, (list, tuple)):
        return type(features)(map(zeros, features))
    return features
