"""Log a run to TensorBoard, switched on by one option."""

from importlib.util import find_spec
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.registry import HOOKS, VISBACKENDS
from mmengine.runner import Runner
from mmengine.visualization import TensorboardVisBackend

from dyrelu_pose.errors import UserError


def check_tensorboard(who: str) -> None:
    """Raise a UserError that names `who` needs it unless TensorBoard is installed."""
    if find_spec("tensorboard") is None:
        raise UserError(
            f"{who} needs the package tensorboard, which is not installed: pip install tensorboard"
        )


def tensorboard_of(runner: Runner) -> TensorboardVisBackend:
    """Return the TensorBoard backend of the run's visualiser, which gets one if it has none.

    MMEngine's own way, an entry in the list `visualizer.vis_backends`, needs a change in the
    config: an option of the command line can replace an entry of a list, but not add one.
    """
    backends = runner.visualizer._vis_backends  # there is no public way to add one
    for backend in backends.values():
        if isinstance(backend, TensorboardVisBackend):
            return backend
    folder = Path(runner.log_dir) / "vis_data"  # where MMEngine puts those of the config
    backend = VISBACKENDS.build(dict(type="TensorboardVisBackend", save_dir=str(folder)))
    backend.add_config(runner.cfg)
    backends[type(backend).__name__] = backend
    return backend


@HOOKS.register_module()
class TensorboardHook(Hook):
    """Write what is logged to TensorBoard as well: losses, learning rate, AP.

    Switch it on in any config with

        --cfg-options default_hooks.tensorboard.type=TensorboardHook

    and look with `tensorboard --logdir work_dirs`.

    Raises:
        UserError: TensorBoard is not installed.
    """

    def __init__(self) -> None:
        check_tensorboard(type(self).__name__)

    def before_run(self, runner: Runner) -> None:
        """Add MMEngine's backend to the run's visualiser."""
        if runner.rank == 0:
            tensorboard_of(runner)
