"""Says how to install MMEngine, MMCV and MMPose, which no requirement of this package can ask for.

Pip would follow their own requirements, of which some do not build.
"""

from importlib.util import find_spec

from dyrelu_pose.paths import install_command

from .stand_ins import MissingPackageError

PACKAGES = ("mmengine", "mmcv", "mmpose")


def check_installed() -> None:
    """Check that the three packages are there.

    Raises:
        MissingPackageError: Names those that are not, and the command that installs them.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise MissingPackageError(
            f"dyrelu_pose needs {', '.join(missing)}, without their own requirements, of which "
            f"some do not build: {install_command('openmmlab')}"
        )
