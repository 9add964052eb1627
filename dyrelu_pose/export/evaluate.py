"""An estimator whose network is an ONNX file, so that it is evaluated as PyTorch's is."""

from collections.abc import Sequence
from typing import cast

import torch
from mmengine.model import ImgDataPreprocessor
from torch import Tensor, nn

from dyrelu_pose.errors import UserError

from .files import OnnxFile

DECODED = ("keypoints", "scores")


def compute_by_file(model: nn.Module, file: OnnxFile, input_size: tuple[int, int]) -> None:
    """Let an MMPose estimator take what its head returns from an ONNX file, in place.

    Everything around the network stays the estimator's: data preprocessor, flip test, decoding.

    Args:
        model: Estimator of the config that the file was exported with; its weights are not used.
        file: The file.
        input_size: Width and height in pixels of the images that the config makes.

    Raises:
        UserError: The estimator's network is not a backbone and a head on it, or the file takes
            images of another size or returns maps of other shapes.
    """
    if not getattr(model, "with_head", False) or not hasattr(model, "extract_feat"):
        raise UserError(f"{type(model).__name__} cannot be evaluated from an ONNX file")
    _check(model, file, input_size)

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


def _check(model: nn.Module, file: OnnxFile, input_size: tuple[int, int]) -> None:
    found = file.input_size
    if any(isinstance(n, int) and n != wanted for n, wanted in zip(found, input_size, strict=True)):
        raise UserError(
            f"{file.path} takes images of {found[0]} x {found[1]} (width x height), and the config "
            f"makes them {input_size[0]} x {input_size[1]}: evaluate it with the config that it "
            "was exported with"
        )
    width, height = input_size
    images = torch.zeros(1, 3, height, width)
    model.eval()  # a statement: the eval() of MMPose's models may return None
    with torch.no_grad():
        expected = model(images.to(next(model.parameters()).device), None, mode="tensor")
    expected = [expected] if isinstance(expected, Tensor) else expected
    shapes = [tuple(output.shape[1:]) for output in expected]
    returned = file.run(images.numpy()).items()
    of_file = [values.shape[1:] for name, values in returned if name not in DECODED]
    if of_file != shapes:
        raise UserError(
            f"{file.path} returns {_listed(of_file)} for an image, and the head of the config "
            f"{_listed(shapes)} (keypoints first): evaluate it with the config that it was "
            "exported with"
        )


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join(" x ".join(map(str, shape)) for shape in shapes)
