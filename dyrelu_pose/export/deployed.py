"""DyReLU as it is deployed: the function of a trained layer in few operators, weights prepared."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyrelu_pose.layers import DyReLU, DyReLUC
from dyrelu_pose.ops import Spatial
from dyrelu_pose.placement.replace import replace

EPS = 1e-30  # of batch normalisation, which refuses 0; 1 + EPS is 1


def deploy(model: nn.Module) -> nn.Module:
    """Replace every DyReLU of a model by its `DeployedDyReLU`, in place, and return the model.

    Of a layer alone, its `DeployedDyReLU` is returned. A batch normalisation that a layer computes
    (`fuse_norm`) becomes one of its own again, which an exporter folds into the convolution in
    front of it. A model without DyReLU stays as it is.
    """
    deployed = {}
    for layer in model.modules():
        if isinstance(layer, DyReLU):
            layer.unfold_norm()
            deployed[layer] = DeployedDyReLU(layer)
    replace(model, deployed)
    return deployed.get(model, model)


class DeployedDyReLU(nn.Module):
    """What a trained `DyReLU` computes in evaluation, to rounding in the dtype of its weights.

    2 sigmoid(t) - 1 is tanh(t / 2): the half is in the weights of FC2, whose rows are ordered so
    that one split yields a_1, ..., a_K, b_1, ..., b_K, each (N, C, 1, 1), or (N, 1, 1, 1) for A.
    Everything of full size is a product, a sum or a maximum with those. The temperature of C's map
    is in the weights of its convolution.

    Args:
        layer: The trained layer.
    """

    fc1_weight: Tensor
    fc1_bias: Tensor
    fc2_weight: Tensor
    fc2_bias: Tensor
    widths: Tensor
    centers: Tensor
    zeros: Tensor
    ones: Tensor
    map_weight: Tensor  # of C only

    def __init__(self, layer: DyReLU) -> None:
        super().__init__()
        hyper = layer.hyper
        k, lambda_a, lambda_b, _ = layer.ranges
        self.k, self.groups = k, len(hyper.fc2_bias) // (2 * k)
        self.channels_last, self.reread = layer.channels_last, layer.reread
        like = hyper.fc1_bias  # in dtype and device
        widths = like.new_tensor([lambda_a] * k + [lambda_b] * k)
        centers = like.new_tensor(layer.ranges.centers)
        constants = dict(
            fc1_weight=hyper.fc1_weight,
            fc1_bias=hyper.fc1_bias,
            fc2_weight=self._by_branch(hyper.fc2_weight / 2),
            fc2_bias=self._by_branch(hyper.fc2_bias / 2),
            widths=widths.repeat_interleave(self.groups)[None],
            centers=centers.repeat_interleave(self.groups)[None],
            zeros=like.new_zeros(self.groups),
            ones=like.new_ones(self.groups),
        )
        self.map = None
        if isinstance(layer, DyReLUC):
            self.map = layer.map
            constants["map_weight"] = layer.spatial.weight[..., None, None] / layer.map.tau
        for name, tensor in constants.items():
            self.register_buffer(name, tensor.detach().clone())

    def _by_branch(self, rows: Tensor) -> Tensor:
        """Reorder rows (2KG, *), of which each set has its 2K side by side, to K-major."""
        return rows.unflatten(0, (self.groups, 2 * self.k)).transpose(0, 1).flatten(0, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation to `x` (N, C, *), or (N, *, C) where the layer takes channels last.

        Where `x` is read again after a layer that overwrites it, it is overwritten.
        """
        if self.channels_last:
            y = self._activate(x.movedim(-1, 1)).movedim(1, -1)
        else:
            y = self._activate(x)
        return x.copy_(y) if self.reread else y

    def _activate(self, x: Tensor) -> Tensor:
        if x.dim() != 4:
            return self._activate(x.reshape(*x.shape[:2], -1, 1)).reshape(x.shape)
        coefficients = self._coefficients(x)
        one = x.shape[0] == 1 and self.groups > 1
        if one:
            coefficients = coefficients.squeeze(0).split(self.groups)
        else:
            coefficients = coefficients[..., None, None].split(self.groups, 1)
        affine = self._by_norm if one else _by_product
        pairs = zip(coefficients[: self.k], coefficients[self.k :], strict=True)
        y, *others = [affine(x, a, b) for a, b in pairs]
        for other in others:
            y = torch.maximum(y, other)
        return y if self.map is None else y * self._map(x)

    def _by_norm(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return a x + b of one image, for a and b (C,), as the batch normalisation that it is."""
        return F.batch_norm(x, self.zeros, self.ones, a, b, eps=EPS)

    def _coefficients(self, x: Tensor) -> Tensor:
        """Return slopes, then intercepts, (N, 2KG)."""
        hidden = F.linear(x.mean((2, 3)), self.fc1_weight, self.fc1_bias).relu()
        delta = F.linear(hidden, self.fc2_weight, self.fc2_bias).tanh()
        return delta * self.widths + self.centers

    def _map(self, x: Tensor) -> Tensor:
        """Return C's pi, (N, 1, H, W)."""
        spatial = cast(Spatial, self.map)
        z = F.conv2d(x, self.map_weight)
        q = z.flatten(2).softmax(2) * (spatial.gamma * z.shape[2] * z.shape[3])
        return q.clamp(max=spatial.cap).view_as(z)


def _by_product(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return a x + b, for a and b (N, C, 1, 1) or (N, 1, 1, 1)."""
    return a * x + b
