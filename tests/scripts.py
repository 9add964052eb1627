"""Scripts and fresh interpreters, as tests run them: in a process of its own, or as a module."""

import gc
import importlib.util
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from unittest import mock

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


def run(*command, expect=0, cwd=ROOT, stderr=subprocess.STDOUT, **env) -> str:
    """Run Python as `start` does; return what it printed.

    With `stderr=None` that is the output alone; pytest shows the rest if the test fails. A script
    whose environment is the tests' own is forked from a process that has imported the package:
    2 to 3 s less each time.
    """
    if str(command[0]).endswith(".py") and not env:
        code, printed = _fork([str(ROOT / command[0]), *map(str, command[1:])], cwd, stderr)
    else:
        process = start(*command, cwd=cwd, stderr=stderr, **env)
        try:
            printed, _ = process.communicate(timeout=600)
        finally:
            process.kill()
        code = process.returncode
    assert code == expect, printed[-3000:]
    return printed


def _fork(command: list[str], cwd: Path, stderr: int | None) -> tuple[int, str]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dyrelu_pose", "mmpose.models", "matplotlib.pyplot", __name__])
    one_thread = mock.patch.dict(os.environ, OMP_NUM_THREADS="1")
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, one_thread:
        streams = [multiprocessing.reduction.DupFd(file.fileno()) for file in (out, err)]
        process = context.Process(
            target=_script, args=(command, str(cwd), dict(os.environ), streams, stderr)
        )
        process.start()
        try:
            process.join(timeout=600)
        finally:
            process.kill()
            process.join()
        for file in (out, err):
            file.seek(0)
        sys.stderr.write(err.read())
        return process.exitcode, out.read()


def _script(command, cwd, env, streams, stderr) -> None:
    """Become a script: the forked process."""
    out, err = (stream.detach() for stream in streams)
    os.dup2(out, 1)
    os.dup2(err if stderr is None else out, 2)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    gc.freeze()  # MMEngine's data sets collect garbage
    sys.argv = command
    sys.path[0] = str(Path(command[0]).parent)
    runpy.run_path(command[0], run_name="__main__")
