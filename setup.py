"""The build step that pyproject.toml cannot name: what a wheel holds beside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent

# What a wheel holds beside the package, for `dyrelu_pose/paths.py` to find.
BESIDE = (
    *("checkpoints", "configs", "tools", "model-index.yml"),
    *("requirements/openmmlab.txt", "requirements/mmpretrain.txt"),
)
# Maintainers' tools, and the forms of others for a checkout.
CHECKOUT_ONLY = ("dev", "*.sh", "__pycache__")


class BuildWithConfigs(build_py):
    """Puts configs and tools into the wheel, in `dyrelu_pose/.mim` as OpenMMLab's packages do."""

    def run(self) -> None:
        """Build the package, then add what stands beside it in the checkout."""
        super().run()
        if self.editable_mode:  # they are found in the checkout
            return
        inside = Path(self.build_lib, "dyrelu_pose", ".mim")
        shutil.rmtree(inside, ignore_errors=True)  # of a build before, with files since removed
        inside.mkdir(parents=True)
        for path in (ROOT / name for name in BESIDE):
            if path.is_dir():
                ignore = shutil.ignore_patterns(*CHECKOUT_ONLY)
                shutil.copytree(path, inside / path.name, ignore=ignore)
            else:
                target = inside / path.relative_to(ROOT)
                target.parent.mkdir(exist_ok=True)
                shutil.copy(path, target)


setup(cmdclass=dict(build_py=BuildWithConfigs))
