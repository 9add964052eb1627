"""The model type that puts DyReLU into any MMPose estimator from the config alone."""

import copy
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.models import PoseLifter
from mmpose.registry import MODELS
from torch import nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.placement import Placement, place

from .input_size import decoder_input_size, input_size_of


@MODELS.register_module()
def DyReLUPoseEstimator(
    estimator: str,
    input_size: tuple[int, int] | None = None,
    dyrelu: Sequence[dict] = (),
    **kwargs,
) -> nn.Module:
    """Build an MMPose estimator, place activation layers in it, and return that estimator.

    Args:
        estimator: Registered type of the estimator, such as `'TopdownPoseEstimator'`.
        input_size: Width and height of the input in pixels; needed only where no decoder of the
            head has them.
        dyrelu: Rules `dict(sites=..., act=...)`; the first that matches a site wins. See
            `dyrelu_pose.placement.place`.
        kwargs: Arguments of the estimator: `backbone`, `neck`, `head`, `data_preprocessor`, ...

    Raises:
        UserError: There is no input size, or the estimator is a 3D lifter.
        PlacementError: A rule is malformed or has no effect, or a site cannot be placed.
    """
    _check_kind(estimator)
    model = MODELS.build(dict(type=estimator, **kwargs))
    place(model, dyrelu, _size(input_size, kwargs.get("head")))
    return model


def _check_kind(estimator: str | type) -> None:
    kind = MODELS.get(estimator) if isinstance(estimator, str) else estimator
    if isinstance(kind, type) and issubclass(kind, PoseLifter):
        raise UserError(
            f"the model of the config is a {kind.__name__}, which reads keypoints, not images: "
            "it has no sites, and DyReLU cannot be placed in it"
        )


def _size(input_size: tuple[int, int] | None, head: object) -> tuple[int, int]:
    """Return the width and height of the input that an estimator of ours is built for."""
    size = input_size or decoder_input_size(head)
    if size is None:
        raise UserError(
            "DyReLUPoseEstimator needs model.input_size=(W, H), in pixels: no decoder of the head "
            "has one"
        )
    return size


def build(cfg: Config) -> tuple[nn.Module, list[Placement]]:
    """Build the model of a config, without weights, and say what its rules place.

    Args:
        cfg: A config, with rules or without.

    Raises:
        UserError: The config has no input size, or its estimator of ours has none; or it is a 3D
            lifter.
        PlacementError: As `place` raises it.
    """
    init_default_scope(cfg.get("default_scope", "mmpose"))
    model, rules = copy.deepcopy(cfg.model), cfg.model.get("dyrelu", [])
    _check_kind(model.get("estimator", model.type))
    if model.type == "DyReLUPoseEstimator" and "estimator" in model:  # it would not say what
        _size(model.get("input_size"), model.get("head"))
        for entry in ("dyrelu", "input_size"):
            model.pop(entry, None)
        model.type = model.pop("estimator")
    elif rules:
        model.dyrelu = []
    built = MODELS.build(model)
    return built, place(built, rules, input_size_of(cfg))


def relu_twin(cfg: Config) -> Config | None:
    """Return a config as it is without the rules of its model, or None if that has none."""
    if not cfg.model.get("dyrelu"):
        return None
    twin = copy.deepcopy(cfg)
    twin.model.dyrelu = []
    return twin
