"""An estimator whose network is an ONNX file, so that it is evaluated as PyTorch's is."""

import torch
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
        outputs = tuple(
            torch.from_numpy(values).to(images.device)
            for name, values in found.items()
            if name not in DECODED
        )
        return outputs if len(outputs) > 1 else outputs[0]

    if file.normalizes:
        model.data_preprocessor._enable_normalize = False
        model.data_preprocessor._channel_conversion = False
    model.extract_feat = lambda images: images
    model.head.forward = run
