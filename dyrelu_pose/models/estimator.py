"""The model type that puts DyReLU into any MMPose estimator from the config alone."""

import copy
from collections.abc import Sequence

from mmengine.config import ConfigDict
from mmpose.registry import MODELS
from torch import nn

from dyrelu_pose.placement import place


@MODELS.register_module()
def DyReLUPoseEstimator(
    estimator: str, input_size: tuple[int, int], dyrelu: Sequence[dict] = (), **kwargs
) -> nn.Module:
    """Build an MMPose estimator, place activation layers in it, and return that estimator.

    Args:
        estimator: Registered type of the estimator, such as `'TopdownPoseEstimator'`.
        input_size: Width and height of the input in pixels, as in the codec.
        dyrelu: Rules `dict(sites=..., act=...)`; the first that matches a site wins. See
            `dyrelu_pose.placement.place`.
        kwargs: Arguments of the estimator: `backbone`, `neck`, `head`, `data_preprocessor`, ...

    Raises:
        PlacementError: A rule is malformed or has no effect, or a site cannot be placed.
    """
    model = MODELS.build(dict(type=estimator, **kwargs))
    place(model, dyrelu, input_size)
    return model


def relu_twin(model: ConfigDict) -> ConfigDict | None:
    """Return a model's config as it is without its rules, or None if it has none.

    Args:
        model: The `model` entry of a config.
    """
    if not model.get("dyrelu"):
        return None
    twin = copy.deepcopy(model)
    twin.dyrelu = []
    return twin
