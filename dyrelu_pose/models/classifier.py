"""ImageNet classifiers through MMPretrain, an optional package: what their configs import.

MMPretrain and not a classifier of our own: MMPose's ViTPose configs need it to import anyway, and
with it come the augmentations, losses and metrics that such trainings use.

A backbone trained as a classifier starts a pose model:
`init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')`.
"""

from collections.abc import Sequence

from mmengine.registry import MODELS
from torch import nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.paths import install_command
from dyrelu_pose.placement import place

try:
    import mmpretrain.models  # noqa: F401  registers ImageClassifier
except ModuleNotFoundError as error:
    raise UserError(
        f"a classifier needs MMPretrain, of which {error.name} is missing: "
        f"{install_command('mmpretrain')}"
    ) from error


@MODELS.register_module()
def DyReLUClassifier(
    input_size: tuple[int, int], dyrelu: Sequence[dict] = (), **kwargs
) -> nn.Module:
    """Build MMPretrain's `ImageClassifier`, place activation layers in it, and return it.

    Args:
        input_size: Width and height of the input in pixels.
        dyrelu: Rules `dict(sites=..., act=...)`; the first that matches a site wins. See
            `dyrelu_pose.placement.place`.
        kwargs: Arguments of the classifier: `backbone`, `neck`, `head`, `data_preprocessor`, ...
            A backbone of MMPose, such as `'mmpose.MobileNetV2'`, keeps its keys in pose models.

    Raises:
        PlacementError: A rule is malformed or has no effect, or a site cannot be placed.
    """
    model = MODELS.build(dict(type="mmpretrain.ImageClassifier", **kwargs))
    place(model, dyrelu, input_size)
    return model
