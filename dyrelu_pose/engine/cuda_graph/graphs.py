"""CUDA graphs: the launches of a call, captured once and replayed as they are."""

import gc
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from dyrelu_pose.errors import UserError

TORCH = str(Path(torch.__file__).parent)


class CaptureError(UserError):
    """A training step cannot be captured; the message names the line that prevents it."""


def check_gpu() -> None:
    """Check that there is what replays graphs.

    Raises:
        UserError: There is no CUDA GPU.
    """
    if not torch.cuda.is_available():
        raise UserError(
            "CudaGraphHook (--cuda-graph) replays steps on a CUDA GPU, and PyTorch finds none on "
            "this machine: leave it out"
        )


class Graphs:
    """Captures calls in graphs of one memory pool, which are replayed in the order of capture.

    Raises:
        UserError: There is no CUDA GPU.
    """

    def __init__(self) -> None:
        check_gpu()
        self._stream = torch.cuda.Stream()
        self._pool = torch.cuda.graph_pool_handle()

    def eager(self, call: Callable):
        """Return what a call returns, made on the stream of the captures, as PyTorch asks for."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            result = call()
        torch.cuda.current_stream().wait_stream(self._stream)
        return result

    def capture(self, call: Callable[[], None]) -> Callable[[], None]:
        """Run the Python of a call, but not its kernels; return what replays these.

        Raises:
            CaptureError: The call does what a graph cannot hold, such as waiting for the GPU.
        """
        causes = []

        def noting() -> None:
            try:
                call()
            except Exception as error:  # because of which ending the capture fails, too
                causes.append(error)
                raise

        try:
            return self._capture(noting)
        except Exception as error:
            raise _capture_error(causes[0] if causes else error) from error

    def _capture(self, call: Callable[[], None]) -> Callable[[], None]:
        gc.collect()  # what is dead and has a graph or memory of its own must not go meanwhile
        graph = torch.cuda.CUDAGraph()
        # Per thread: the loader's, which pins memory, may go on meanwhile.
        with torch.cuda.graph(graph, self._pool, self._stream, "thread_local"):
            call()
        return graph.replay


def _capture_error(error: BaseException) -> CaptureError:
    """Return one that names another error, and the line it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not frame.filename.startswith(TORCH)]
    where = f" at {ours[-1].filename}:{ours[-1].lineno}" if ours else ""
    first_line = str(error).partition("\n")[0]
    return CaptureError(
        f"the training step cannot be captured in a CUDA graph: {type(error).__name__}{where}, "
        f"{first_line}. Train without CudaGraphHook (--cuda-graph)"
    )
