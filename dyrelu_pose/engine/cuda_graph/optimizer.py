"""Optimizers whose steps can be captured: all that they need to know is on the device."""

from torch.optim import SGD, Adam, AdamW, Optimizer

FUSED = (Adam, AdamW, SGD)  # their steps also take the loss scale of mixed precision, on the device


def way_to_capture(optimizer: Optimizer) -> str | None:
    """Return the option that makes an optimizer's step fit for a graph, None if it has none."""
    if isinstance(optimizer, FUSED):
        return "fused"
    return "capturable" if "capturable" in optimizer.defaults else None


def make_capturable(optimizer: Optimizer) -> None:
    """Switch on what `way_to_capture` names, also after a checkpoint without it was loaded."""
    options = {}
    if isinstance(optimizer, FUSED):
        options.update(fused=True, foreach=False)
        vars(optimizer)["_step_supports_amp_scaling"] = True  # as its constructor does
    if "capturable" in optimizer.defaults:
        options.update(capturable=True)  # without it PyTorch refuses captures of the fused, too
    for group in optimizer.param_groups:
        group.update(options)
    # Loading puts the count of steps where an optimizer with these options wants it.
    optimizer.load_state_dict(optimizer.state_dict())
