"""Packaging of dyrelu_pose: metadata only, `pip install --no-deps -e .`."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """Return the requirement lines of a file, without their comments."""
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in lines if line]


setup(
    name="dyrelu_pose",
    version="0.1.0",
    description="Dynamic ReLU (ECCV 2020) as activation layers for MMPose",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["dyrelu_pose", "dyrelu_pose.*"]),
    python_requires=">=3.10",
    # MMEngine, MMCV and MMPose are not listed: pip would follow their unbuildable dependencies.
    install_requires=requirements("requirements.txt"),
    package_data={"dyrelu_pose.inspection": ["page.html"]},
    extras_require={
        "test": requirements("requirements-test.txt"),
        "tensorboard": ["tensorboard"],
    },
)
