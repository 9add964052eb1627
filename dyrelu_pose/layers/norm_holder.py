"""What a DyReLU has to do with the batch normalizations that it computes."""

from typing import cast

from torch import Tensor, nn

from .folded_norm import FoldedBatchNorm2d, HeldBatchNorm2d
from .residual import DeferredBatchNorm2d, ResidualSum


class NormHolder:
    """A layer that can compute the norms in front of it.

    They keep their places, names and states. They are looked up in every call, so that a norm put
    in the place of one later (by `convert_sync_batchnorm`, or by the fusion of a convolution with
    it) works as it should. One that is wrapped in another module, as by FSDP with mixed precision,
    is refused.
    """

    channels_last: bool
    _norms: tuple[tuple[nn.Module, str], ...] = ()  # owner and name of each

    def fold_norm(self, owner: nn.Module, name: str) -> None:
        """Compute the batch normalization `owner.name`, whose output is this layer's input.

        The norm passes its input on, and this layer normalizes.

        Raises:
            TypeError: It is not an `nn.BatchNorm2d`, or this is a layer that cannot fold one.
        """
        self._take(FoldedBatchNorm2d, (owner, name))

    def fold_sum(self, *norms: tuple[nn.Module, str]) -> None:
        """Compute the residual sum that is this layer's input, and its batch normalizations.

        Args:
            norms: The owner and the name of each norm whose output is a summand, one or two. They
                hand over a sum that is not computed; where that comes as a tensor, as from another
                norm that was put there later, this layer is applied to that.

        Raises:
            TypeError: As in `fold_norm`.
        """
        self._take(DeferredBatchNorm2d, *norms)

    def _take(self, kind: type[HeldBatchNorm2d], *norms: tuple[nn.Module, str]) -> None:
        found = [getattr(owner, name) for owner, name in norms]
        for norm in found:
            if type(norm) is not nn.BatchNorm2d:
                raise TypeError(f"only an nn.BatchNorm2d can be folded, not {type(norm).__name__}")
        for norm in found:
            norm.__class__ = kind
        self._norms = norms

    def unfold_norm(self) -> None:
        """Let the batch normalizations that this layer took, if any, compute themselves again.

        To be called before another module is put in the place of this layer: they cannot know.
        """
        for norm in self._held_norms():
            cast(nn.BatchNorm2d, norm).__class__ = nn.BatchNorm2d
        self._norms = ()

    def _held_norms(self) -> list[HeldBatchNorm2d]:
        norms = [getattr(owner, name) for owner, name in self._norms]
        held = [norm for norm in norms if isinstance(norm, HeldBatchNorm2d)]
        if len(held) < len(norms):
            _check_wrappers(norms)
        return held

    def _folded_norm(self) -> FoldedBatchNorm2d | None:
        folded = (norm for norm in self._held_norms() if isinstance(norm, FoldedBatchNorm2d))
        return next(folded, None)

    def normalize(self, x: Tensor | ResidualSum) -> Tensor:
        """Return what the function is a function of: `x`, or its norm where this layer folds one.

        It is (N, C, *), also where the layer takes channels last. Running statistics stay as they
        are.
        """
        if isinstance(x, ResidualSum):
            x = x.tensor()
        x = self._channels_first(x)
        folded = self._folded_norm()
        return x if folded is None else folded.normalized(x)

    def _channels_first(self, x: Tensor) -> Tensor:
        return x.movedim(-1, 1) if self.channels_last else x


def _check_wrappers(norms: list[nn.Module]) -> None:
    """Raise where a norm that passes its input on is inside of what is in its place."""
    for norm in norms:
        inner = list(norm.modules())[1:]
        if any(isinstance(module, HeldBatchNorm2d) for module in inner):
            raise RuntimeError(
                f"a batch normalization that a DyReLU computes (fuse_norm=True) is wrapped in a "
                f"{type(norm).__name__} of its own, where the layer does not reach it: wrap both "
                "together, or take fuse_norm=False for this site"
            )
