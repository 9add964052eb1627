"""What is captured of a training step."""

from collections.abc import Callable

from torch import Tensor, device

from .batch import StaticBatch
from .graphs import Graphs


class Captured:
    """Two graphs of the step for batches of one shape: up to the loss, and what it leads to.

    Attributes:
        batch: What the first graph reads.
        forward: Replays what `losses` does.
        loss: Its result, of one element; overwritten by each replay, as `logs` and `norm` are.
        logs: What is to be logged, by names.
        update: Replays what `optimize` does.
        norm: What `optimize` returned.

    Args:
        data: A preprocessed batch.
        where: Device to keep batches on.
        losses: Returns the loss of a batch, and what is to be logged.
        optimize: Updates the weights by a loss; returns the norm of the gradients if it clips them.
        graphs: What captures.
    """

    loss: Tensor
    logs: dict[str, Tensor]
    norm: Tensor | None

    def __init__(
        self,
        data: dict,
        where: device,
        losses: Callable[[dict], tuple[Tensor, dict[str, Tensor]]],
        optimize: Callable[[Tensor], Tensor | None],
        graphs: Graphs,
    ) -> None:
        self.batch = StaticBatch(data, where)

        def forward() -> None:
            self.loss, logs = losses(self.batch.batch)
            self.logs = {name: value.detach() for name, value in logs.items()}

        def update() -> None:
            self.norm = optimize(self.loss)

        self.forward = graphs.capture(forward)
        self.update = graphs.capture(update)
