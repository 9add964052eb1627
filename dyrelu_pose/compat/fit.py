"""Which tensors of a model a checkpoint has, and under which names it has them where it has none.

What is written to a tensor is seen by PyTorch's count of its changes: whatever names a model
converts, and whatever it forgives, the tensors that stayed at their start values are known.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from mmengine.runner.checkpoint import CheckpointLoader, _load_checkpoint_to_model
from torch import Tensor, nn

from dyrelu_pose.errors import UserError, some

SHOWN = 3  # tensors named in an error


class Misfit(UserError):
    """A checkpoint is not of the model; the message names what fits and what does not."""


class Written:
    """Which tensors of a model, as `"backbone.conv1.weight"`, were written since this was made.

    Counters of batches are left out: a checkpoint without them sets them to 0.

    Args:
        model: The model, without a wrapper.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._before = self._versions()

    def __call__(self) -> dict[str, bool]:
        """Return for each tensor whether it was written."""
        return {name: now > self._before[name] for name, now in self._versions().items()}

    def _versions(self) -> dict[str, int]:
        return {name: tensor._version for name, tensor in _tensors(self._model.state_dict())}


def load_whole(model: nn.Module, filename: str, owner: str) -> None:
    """Load weights into a model, every tensor of it.

    A ReLU checkpoint fits a DyReLU model, whose new layers keep their start; a line in the log says
    so.

    Args:
        model: The model, without a wrapper.
        filename: File or URL of the checkpoint.
        owner: Whose model it is, for the message, such as the file of the config.

    Raises:
        CheckpointError: The file is missing, damaged, or not a checkpoint.
        Misfit: Tensors are missing, of another shape, or nobody's.
    """
    checkpoint = CheckpointLoader.load_checkpoint(filename, map_location="cpu")
    written = Written(model)
    if lines := misfits(model, checkpoint):
        found = written()
        advice = remedy(model, checkpoint, sum(found.values()))
        raise Misfit(
            f"checkpoint {filename} does not fit the model of {owner}: {counted(found)}; "
            f"{shortened(lines)}; {advice or 'take the config that the model was trained with'}"
        )


def misfits(model: nn.Module, checkpoint: dict) -> list[str]:
    """Load a checkpoint into a model and return what does not fit, a line per kind or tensor."""
    try:
        _load_checkpoint_to_model(model, checkpoint, strict=True)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return lines[1:] or lines  # the first says only that there are some
    return []


def counted(written: Mapping[str, bool]) -> str:
    """Say how much of each part was written: `backbone 9 of 9, head 0 of 7 tensors loaded`."""
    parts = {name: name.partition(".")[0] for name in written}
    total, done = Counter(parts.values()), Counter(parts[name] for name in written if written[name])
    return ", ".join(f"{part} {done[part]} of {total[part]}" for part in total) + " tensors loaded"


def shortened(lines: list[str]) -> str:
    """Join PyTorch's lines about misfits, each kind with the first of its tensors."""
    sizes = [line.rstrip(".") for line in lines if line.startswith("size mismatch")]
    shown = [some(sizes, 1)] if sizes else []
    for line in lines:
        if not line.startswith("size mismatch"):
            shown.append(some(line.rstrip(". ").split(", "), SHOWN))
    return "; ".join(shown)


def remedy(model: nn.Module, checkpoint: dict, loaded: int, init: str | None = None) -> str | None:
    """Say how more of a checkpoint's tensors would be loaded: by other names, or into a part.

    Looked for are a prefix that all names have (`model.`, `net.`, `ema_`), weights in a dict of the
    file (`model=`, `model_ema=`), and those of one part of the model alone.

    Args:
        model: What the weights are for.
        checkpoint: The content of the file.
        loaded: How many tensors were loaded.
        init: Key of the `init_cfg` that loads them into the model, if one does.

    Returns:
        What they are and what to do; None if there are no more.
    """
    wanted = dict(_tensors(model.state_dict()))
    parts = {"", *(f"{name}." for name, _ in model.named_children())}
    found = Counter()
    for keys, state in _state_dicts(checkpoint):
        for part in parts:
            shapes = {
                name.removeprefix(part): tensor.shape
                for name, tensor in wanted.items()
                if name.startswith(part)
            }
            for name, tensor in _tensors(state):
                for i in _starts(name):
                    if shapes.get(name[i:]) == tensor.shape:
                        found[keys, name[:i], part] += 1
    if not found:
        return None
    (keys, prefix, part), count = max(found.items(), key=lambda item: item[1])
    if count <= loaded:
        return None
    if init and not part and keys in ((), ("state_dict",)) and prefix[-1:] in ("", "."):
        change = f"set {init}.prefix={prefix!r}" if prefix else f"leave {init}.prefix out"
        return f"{count} of its tensors fit: {change}"
    where = f" in {''.join(f'[{key!r}]' for key in keys)}" if keys else ""
    where += f" behind {prefix!r}" if prefix else ""
    if part:
        name = part.rstrip(".")
        return (
            f"{count} of its tensors{where} fit the {name} alone: start a training from them with "
            f"model.{name}.init_cfg=dict(type='Pretrained', checkpoint=...)"
        )
    name = f"name.removeprefix({prefix!r})" if prefix else "name"
    state = "".join(f"[{key!r}]" for key in keys)
    return (
        f"{count} of its tensors{where} fit: write them to a file of their own, "
        f"torch.save(dict(state_dict={{{name}: tensor for name, tensor in "
        f"torch.load(...){state}.items()}}), ...)"
    )


def _state_dicts(
    value: Mapping, keys: tuple[str, ...] = (), depth: int = 2
) -> Iterator[tuple[tuple[str, ...], Mapping]]:
    """Yield the dicts that hold tensors by name, with the keys that lead to them."""
    if any(_tensors(value)):
        yield keys, value
    for key, entry in value.items():
        if depth and isinstance(key, str) and isinstance(entry, Mapping):
            yield from _state_dicts(entry, (*keys, key), depth - 1)


def _tensors(state: Mapping) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        named = isinstance(name, str) and not name.endswith("num_batches_tracked")
        if named and isinstance(tensor, Tensor):
            yield name, tensor


def _starts(name: str) -> Iterator[int]:
    """Yield where a name begins: at its start, and behind each `.` and `_` in it."""
    yield 0
    for i, letter in enumerate(name[:-1]):
        if letter in "._":
            yield i + 1
