"""Scripts and fresh interpreters, as tests run them: in a process of its own, or as a module."""

import importlib.util
import os
import subprocess
import sys
from types import ModuleType

from dyrelu_pose.paths import ROOT

DEMO = "configs/demo/dyrelu_resnet18.py"


def load(path: str) -> ModuleType:
    """Import a script of the checkout, such as `tools/dev/lock.py`, as a module."""
    name = path.removesuffix(".py").replace("/", "_")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start(*command, cwd=ROOT, stderr=subprocess.STDOUT, **env) -> subprocess.Popen:
    """Start Python with some arguments and changes of the environment, of one thread."""
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def run(*command, expect=0, **options) -> str:
    """Run Python as `start` does; return what it printed.

    With `stderr=None` that is the output alone; pytest shows the rest if the test fails.
    """
    process = start(*command, **options)
    try:
        printed, _ = process.communicate(timeout=600)
    finally:
        process.kill()
    assert process.returncode == expect, printed[-3000:]
    return printed
