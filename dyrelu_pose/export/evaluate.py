"""An estimator whose network is an ONNX file, so that it is evaluated as PyTorch's is."""

from typing import cast

import torch
from mmengine.model import ImgDataPreprocessor
from torch import Tensor, nn

from dyrelu_pose.errors import UserError

from .files import OnnxFile

DECODED = ("keypoints", "scores")


def compute_by_file(model: nn.Module, file: OnnxFile) -> None:
    """Let an MMPose estimator take what its head returns from an ONNX file, in place.

    Everything around the network stays the estimator's: data preprocessor, flip test, decoding.

    Args:
        model: Estimator of the config that the file was exported with; its weights are not used.
        file: The file.

    Raises:
        UserError: The estimator's network is not a backbone and a head on it.
    """
    if not getattr(model, "with_head", False) or not hasattr(model, "extract_feat"):
        raise UserError(f"{type(model).__name__} cannot be evaluated from an ONNX file")

    def run(images: Tensor) -> Tensor | tuple[Tensor, ...]:
        found = file.run(images.float().cpu().numpy())
        outputs = [
            torch.from_numpy(values).to(images.device)
            for name, values in found.items()
            if name not in DECODED
        ]
        return tuple(outputs) if len(outputs) > 1 else outputs[0]

    if file.normalizes:
        preprocessor = cast(ImgDataPreprocessor, model.data_preprocessor)
        preprocessor._enable_normalize = False
        preprocessor._channel_conversion = False
    # An estimator's method; PyTorch's stubs take every attribute for a tensor or a module.
    model.extract_feat = lambda images: images  # pyright: ignore[reportArgumentType]
    model.get_submodule("head").forward = run
