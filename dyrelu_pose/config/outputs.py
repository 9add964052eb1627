"""Check that what a model computes is what its codec decodes, and what it is trained with."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmpose.datasets.transforms import (
    GenerateTarget,
    RandomBBoxTransform,
    RandomFlip,
    RandomHalfBody,
    TopdownAffine,
)
from mmpose.models.heads import AssociativeEmbeddingHead, HeatmapHead
from mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS
from torch import Tensor, nn

from dyrelu_pose.errors import described
from dyrelu_pose.models.input_size import decoder_input_size
from dyrelu_pose.placement.meta_device import run_tensor_mode, run_without_values
from dyrelu_pose.placement.probe import check_input_size

from .datasets import KeypointDataset
from .errors import ConfigError
from .parts import registered

OF_BOXES = (RandomFlip, RandomHalfBody, RandomBBoxTransform)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def input_sizes(
    cfg: Config, datasets: Mapping[str, Sequence[KeypointDataset]]
) -> dict[str, tuple[int, int] | None]:
    """Return the width and height of the images of each split; None if no decoder has any.

    They are those of the head's decoder. A training may have others, where the network allows it:
    it takes those of the first data set that cuts persons out.
    """
    decoded = decoder_input_size(cfg.model.get("head"))
    sizes = dict.fromkeys(datasets, decoded)
    transforms = [step for dataset in datasets.get("train", ()) for step in dataset.transforms]
    cut = [step for step in transforms if registered(TRANSFORMS, step) is TopdownAffine]
    if decoded and cut:
        sizes["train"] = check_input_size(
            cut[0].get("input_size"), "input_size of TopdownAffine in train_dataloader"
        )
    return sizes


class ModelRun(NamedTuple):
    """A model that was run on one image, on the meta device where that can be.

    Attributes:
        model: The model.
        features: Input of its head; None if it was not run.
        output: Output of its head, before it is decoded; likewise.
    """

    model: nn.Module
    features: object = None
    output: object = None


def build_and_run(cfg: Config, size: tuple[int, int] | None) -> ModelRun:
    """Build the model of a config and, if there is a size, run it on one image of that.

    Raises:
        ConfigError: Layers do not fit to each other.
    """

    def call(device: str) -> ModelRun:
        model = MODELS.build(copy.deepcopy(cfg.model))
        for module in model.modules():
            if isinstance(module, TRANSPOSED):
                module.register_forward_pre_hook(_check_channels)
        model.eval()  # a statement: the train() of MMPose's backbones returns None
        if size is None:
            return ModelRun(model)
        taken = []
        if isinstance(head := getattr(model, "head", None), nn.Module):
            forward = head.forward  # estimators call it, and not the head, past its hooks

            def record(features: object, *args) -> object:
                taken.append(features)
                return forward(features, *args)

            head.forward = record
        try:
            with torch.no_grad():
                output = run_tensor_mode(model, torch.zeros(1, 3, *reversed(size)))
            return ModelRun(model, next(iter(taken), None), output)
        except Exception as error:  # the model's own code
            if device == "meta":
                raise
            if isinstance(error, NotImplementedError) or not isinstance(error, RuntimeError):
                return ModelRun(model)  # it has no such mode
            raise ConfigError(
                f"the model of the config cannot be run on an image of {size[0]}x{size[1]} pixels "
                f"(WxH): {error}"
            ) from error

    return run_without_values(call)


def _check_channels(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Check what the meta device does not: the channels of a transposed convolution's input."""
    if inputs[0].shape[1] != module.in_channels:
        raise RuntimeError(
            f"{type(module).__name__} has {module.in_channels} channels as its input, and gets "
            f"{inputs[0].shape[1]}"
        )


def check_decoder(head: dict, output: object, datasets: Sequence[KeypointDataset]) -> None:
    """Check that images and heatmaps have the sizes of the codecs that decode them.

    Args:
        head: Config of the head.
        output: What the model makes of one image.
        datasets: What it is evaluated with.

    Raises:
        ConfigError: Names the codec and both sizes.
    """
    # before they decode, heads of associative embeddings enlarge their heatmaps
    enlarged = registered(MODELS, head) is AssociativeEmbeddingHead
    decoders = [] if enlarged else list(_codecs("model.head", head, "decoder"))
    for key, codec in decoders:
        _check_output(output, key, codec)
    for dataset in datasets:
        for transform in dataset.transforms:
            if registered(TRANSFORMS, transform) is TopdownAffine:
                for key, codec in decoders:
                    _check_size(f"{dataset.key} makes images of", transform.get("input_size"),
                                f"{key}.input_size", codec.get("input_size"))  # fmt: skip


def check_encoders(output: object, dataset: KeypointDataset) -> None:
    """Check that targets are made in the right place of a pipeline, in the sizes of heatmaps.

    Args:
        output: What the model makes of one image of the data set.
        dataset: The data set.

    Raises:
        ConfigError: Names the codec and both sizes, or the misplaced step.
    """
    _check_order(dataset)
    for transform in dataset.transforms:
        for key, codec in _codecs(f"{dataset.key}: GenerateTarget", transform, "encoder"):
            _check_output(output, key, codec)


def _check_order(dataset: KeypointDataset) -> None:
    """Check that boxes are changed before the image is cut, and targets are made after it.

    Otherwise MMPose goes on with keypoints of another place, and says nothing.
    """
    kinds = [registered(TRANSFORMS, transform) for transform in dataset.transforms]
    if TopdownAffine not in kinds:
        return
    cut = kinds.index(TopdownAffine)
    misplaced = [("after", kind) for kind in kinds[cut:] if kind in OF_BOXES]
    misplaced += [("before", kind) for kind in kinds[:cut] if kind is GenerateTarget]
    for place, kind in misplaced:
        raise ConfigError(
            f"the pipeline of {dataset.key} of the config has {kind.__name__} {place} "
            "TopdownAffine, which cuts the person out: keypoints and image would not agree"
        )


def check_loss(head: dict, built: nn.Module | None, output: object, data: KeypointDataset) -> None:
    """Check that the loss of a head can be computed, where it is one of single heatmaps.

    Args:
        head: Config of the head.
        built: The head.
        output: What the model makes of one image.
        data: What it is trained on.

    Raises:
        ConfigError: It cannot; the message has the shapes.
    """
    is_usual = isinstance(built, HeatmapHead) and type(built).loss is HeatmapHead.loss
    if not (is_usual and isinstance(output, Tensor) and "loss" in head and data.keypoints):
        return
    heatmaps = torch.zeros_like(output, device="cpu")
    keypoints = np.ones((1, data.keypoints, 2), np.float32)
    codecs = [transform.get("encoder") for transform in data.transforms]  # of GenerateTarget
    if not any(codecs):
        raise ConfigError(
            f"{data.key}.pipeline of the config has no GenerateTarget: model.head has no targets"
        )
    for codec in codecs:
        if not isinstance(codec, dict):
            continue
        try:
            encoded = KEYPOINT_CODECS.build(codec).encode(keypoints, keypoints[..., 0])
        except Exception as error:  # the codec's own code
            raise ConfigError(
                f"{data.key}: GenerateTarget.encoder of the config, {codec['type']}, makes no "
                f"targets: {described(error)}"
            ) from error
        if "heatmaps" not in encoded:
            raise ConfigError(
                f"{data.key}: GenerateTarget.encoder of the config is {codec['type']}, which makes "
                "no heatmaps, and model.head is one of heatmaps"
            )
        targets, weights = map(torch.as_tensor, (encoded["heatmaps"], encoded["keypoint_weights"]))
        try:
            MODELS.build(head["loss"])(heatmaps, targets[None], weights)
        except Exception as error:  # the loss's own code
            raise ConfigError(
                f"model.head.loss of the config cannot be computed of heatmaps "
                f"{tuple(heatmaps.shape)} and targets {tuple(targets[None].shape)}: "
                f"{described(error)}"
            ) from error


def _codecs(key: str, config: object, name: str) -> Iterator[tuple[str, dict]]:
    """Yield (key, config) of each codec of a part of a config, and of a head in it."""
    if not isinstance(config, dict):
        return
    codecs = config.get(name) or ()
    for codec in codecs if isinstance(codecs, list | tuple) else [codecs]:
        if isinstance(codec, dict):
            yield f"{key}.{name}", codec
    if "pose_cfg" in config:  # VisPredictHead
        yield from _codecs(f"{key}.pose_cfg", config["pose_cfg"], name)


def _check_output(output: object, key: str, codec: dict) -> None:
    shapes = [tuple(tensor.shape) for tensor in _tensors(output)]
    for shape in shapes:
        if len(shape) == 4:  # (N, K, H, W)
            _check_size("model.head makes heatmaps of", shape[:1:-1],
                        f"{key}.heatmap_size", codec.get("heatmap_size"))  # fmt: skip
    bins = [shape[2] for shape in shapes if len(shape) == 3]  # (N, K, W) and (N, K, H)
    if "simcc_split_ratio" in codec and len(bins) == 2:
        coded = [round(n * codec["simcc_split_ratio"]) for n in codec["input_size"]]
        _check_size(
            "model.head makes bins of", bins, f"input_size * simcc_split_ratio of {key}", coded
        )


def _check_size(made: str, size: object, coded: str, expected: object) -> None:
    if not (isinstance(size, list | tuple) and isinstance(expected, list | tuple)):
        return
    if tuple(size) != tuple(expected):
        found, coded_size = (" x ".join(map(str, n)) for n in (size, expected))
        raise ConfigError(f"{made} {found} (WxH), and {coded} of the config is {coded_size}")


def _tensors(output: object) -> Iterator[Tensor]:
    """Yield the tensors in the output of a head, which may be a list of lists."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, list | tuple):
        for part in output:
            yield from _tensors(part)
