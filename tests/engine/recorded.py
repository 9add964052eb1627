"""Graphs without a GPU: the operations of a call, recorded once and run again on the same memory.

As in a CUDA graph, Python does not run again, numbers are those of the capture, tensors stay where
they are, and reading a number from a tensor is an error.
"""

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

from dyrelu_pose.engine.cuda_graph.graphs import Graphs

READS = ("aten::_local_scalar_dense", "aten::is_nonzero", "aten::item", "aten::nonzero")


class RecordedGraphs(Graphs):
    """Counts calls and replays."""

    def __init__(self):
        self.eager_calls, self.replays = 0, []

    def eager(self, call):
        self.eager_calls += 1
        return call()

    def _capture(self, call):
        record = Record()
        random = torch.get_rng_state()
        with record:
            call()
        torch.set_rng_state(random)
        record.undo()
        number = len(self.replays)
        self.replays.append(0)

        def replay():
            self.replays[number] += 1
            record.replay()

        return replay


class Record(TorchDispatchMode):
    """The operations that ran within a `with` block."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.made, self.before = {}, {}  # by storage; what was there before, and its content

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function.name() in READS:
            raise RuntimeError("operation not permitted when stream is capturing")
        for tensor in tensors_of((args, kwargs)):
            key = tensor.untyped_storage().data_ptr()
            if key not in self.made and key not in self.before:
                self.before[key] = tensor, tensor.detach().clone()
        results = function(*args, **kwargs)
        for tensor in tensors_of(results):
            key = tensor.untyped_storage().data_ptr()
            if key not in self.before:
                self.made[key] = tensor
        aliases = tree_map_only(Tensor, torch.Tensor.detach, (args, kwargs, results))
        self.calls.append((function, *aliases))
        return results

    @torch.no_grad()
    def undo(self):
        """Put back what was there: a capture runs nothing."""
        for tensor, content in self.before.values():
            tensor.data.copy_(content)  # unseen by the backward pass of what was captured

    @torch.no_grad()
    def replay(self):
        for function, args, kwargs, kept in self.calls:
            results = function(*args, **kwargs)
            for new, old in zip(tensors_of(results), tensors_of(kept), strict=True):
                if new.untyped_storage().data_ptr() != old.untyped_storage().data_ptr():
                    old.copy_(new)


def tensors_of(values):
    return [value for value in tree_flatten(values)[0] if isinstance(value, Tensor)]
