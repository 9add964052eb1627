"""The part of an estimator that goes into a file: from images to heatmaps, or to keypoints."""

from mmengine.model import BaseModel
from torch import Tensor, nn

from .decode import decoder


class Normalize(nn.Module):
    """What an MMPose data preprocessor does to pixels: the order of channels, mean and deviation.

    Args:
        preprocessor: The estimator's `data_preprocessor`.
    """

    def __init__(self, preprocessor: nn.Module) -> None:
        super().__init__()
        self.swap = preprocessor._channel_conversion
        if preprocessor._enable_normalize:
            self.register_buffer("mean", preprocessor.get_buffer("mean").clone())
            self.register_buffer("std", preprocessor.get_buffer("std").clone())
        else:
            self.mean = None

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the estimator's input for pixels (N, 3, H, W), floating, 0 to 255, BGR."""
        if self.swap:
            pixels = pixels.flip(1)
        return pixels if self.mean is None else (pixels - self.mean) / self.std


class Network(nn.Module):
    """An estimator as a file computes it.

    Args:
        model: An estimator in evaluation mode.
        normalize: Whether inputs are pixels (N, 3, H, W) as OpenCV reads them, BGR, 0 to 255;
            otherwise they are what the estimator's data preprocessor returns.
        decode: Whether keypoints and scores are returned too.

    Raises:
        UserError: There are no heatmaps to decode.
    """

    def __init__(self, model: BaseModel, normalize: bool = False, decode: bool = False) -> None:
        super().__init__()
        self.normalizes = normalize
        self.normalize = Normalize(model.data_preprocessor) if normalize else nn.Identity()
        self.decode = decoder(getattr(model.head, "decoder", None)) if decode else None
        self.model = model

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return what the head returns, or heatmaps, keypoints (N, K, 2) and scores (N, K)."""
        maps = self.model(self.normalize(images), data_samples=None, mode="tensor")
        return maps if self.decode is None else (maps, *self.decode(maps))

    def output_names(self, images: Tensor) -> list[str]:
        """Return names of the outputs: `heatmaps` where they are, else `output0`, `output1`, ..."""
        outputs = self(images)
        if self.decode is not None:
            return ["heatmaps", "keypoints", "scores"]
        if isinstance(outputs, Tensor) and outputs.dim() == 4:
            return ["heatmaps"]
        count = 1 if isinstance(outputs, Tensor) else len(outputs)
        return [f"output{i}" for i in range(count)]
