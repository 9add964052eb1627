"""Packaging of dyrelu_pose: `pip install --no-deps -e .`, or a wheel by `pip wheel --no-deps .`."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent

# What a wheel holds beside the package, for `dyrelu_pose/paths.py` to find.
BESIDE = (
    *("checkpoints", "configs", "tools"),
    *("requirements/openmmlab.txt", "requirements/mmpretrain.txt"),
)
# Maintainers' tools, and the forms of others for a checkout.
CHECKOUT_ONLY = ("dev", "*.sh", "__pycache__")


def requirements(name: str) -> list[str]:
    """Return the requirement lines of a file, without their comments."""
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in lines if line]


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


setup(
    name="dyrelu_pose",
    version="0.1.0",
    description="Dynamic ReLU (ECCV 2020) as activation layers for MMPose",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    cmdclass=dict(build_py=BuildWithConfigs),
    packages=find_packages(include=["dyrelu_pose", "dyrelu_pose.*"]),
    python_requires=">=3.10",
    # MMEngine, MMCV and MMPose are not listed: pip would follow their unbuildable dependencies.
    install_requires=requirements("requirements.txt"),
    package_data={"dyrelu_pose.inspection": ["page.html"]},
    extras_require={
        "test": requirements("requirements/test.txt"),
        "onnx": ["onnx", "onnxscript", "onnxruntime"],
        "tensorboard": ["tensorboard"],
    },
)
