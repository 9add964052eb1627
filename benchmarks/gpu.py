"""Measures everything that this project says about GPUs, on a machine that has one, offline.

    python benchmarks/gpu.py --out results/bench/gpu
    python benchmarks/gpu.py --out results/bench/gpu --minutes 9 --wheels wheels/
    python benchmarks/gpu.py --out dry --dry-run

Runs its parts one after the other, in order of worth, each in a process of its own that is ended
when its share of the time is up; time that a part leaves over goes to the later ones. A part that
fails stops no other one. Each writes its figures as they come; parts.json says, after each, which
ran, how long, and the last lines of those that failed. The exit status is 1 if one failed.

It needs Python's standard library; its parts need PyTorch, Triton, NumPy, SciPy, OpenCV, Pillow,
pytest, pytest-xdist and what this project depends on, of which --wheels can bring what is missing.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NEEDED = (
    *("torch", "triton", "numpy", "cv2", "mmengine", "mmcv", "mmpose", "pycocotools", "rich"),
    *("PIL", "scipy", "pytest", "xdist"),
)
LINES = 20  # of a failed part's output
SHORTEST = 5  # seconds that a part needs to be worth starting


class Part(NamedTuple):
    """One process.

    Attributes:
        name: In parts.json.
        share: Of the time, relative to the other parts.
        command: Arguments of Python, from the checkout.
    """

    name: str
    share: float
    command: list[str]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--minutes", type=float, default=9, help="for all of it (%(default)s)")
    parser.add_argument(
        "--wheels", type=Path, help="folder of wheels that the parts find, without their needs"
    )
    parser.add_argument("--only", nargs="+", help="names of parts to run; the others are left out")
    parser.add_argument("--dry-run", action="store_true", help="tiny parts, on the CPU")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the parts."""
    args = parse_args(argv)
    end = time.monotonic() + 60 * args.minutes
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as packages:
        paths = [str(ROOT)]
        if args.wheels:
            install(args.wheels, packages)
            paths.append(packages)
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *_inherited()])}
        if args.dry_run:
            env["CUDA_VISIBLE_DEVICES"] = ""
        if missing := missing_packages(env):
            sys.exit(
                f"error: the parts need {', '.join(missing)}, which {sys.executable} cannot "
                "import: install them, or name a folder of their wheels by --wheels"
            )
        records = run(parts(args.out, args.dry_run), args, end, env)
    if any(record["outcome"] == "failed" for record in records):
        sys.exit(1)


def parts(out: Path, dry_run: bool) -> list[Part]:
    """Return what is to be measured, in order of worth."""
    cores = str(os.cpu_count())
    tests = ["tests/ops/triton", "tests/engine/test_cuda_graph.py"]
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    kernels = ["ReLU", "SE + ReLU", "DyReLU-B usual*", "BatchNorm2d + ReLU", "*triton"]
    networks = ["mobilenetv2 256x192", "hrnet 256x192"]
    steps = ["benchmarks/steps.py", "configs/ablations/study_resnet18.py", "--cells"]
    if dry_run:
        cpu = ["--device", "cpu"]
        once = [*cpu, "--repeats", "1"]
        few = ["tests/ops/triton/test_functions.py", "-k", "strided"]  # in Triton's interpreter
        return [
            Part("machine", 1, ["benchmarks/machine.py", *cpu, *_to(out, "machine.json")]),
            Part("compile", 1, ["benchmarks/ahead.py", *cpu, "--tiny", "--jobs", "1"]),
            Part("op", 1, ["benchmarks/op.py", *once, "--cases", "tiny",
                           *_to(out, "op_cuda.csv"), "--rows", "ReLU", "DyReLU-B eager"]),
            Part("model", 1, ["benchmarks/model.py", *once, *_to(out, "model_cuda.csv"),
                              "--batch", "1", "--models", "mobilenetv2-x05 96x64",
                              "--variants", "DyReLU eager"]),
            Part("steps", 1, [*steps, "C", *once, *_to(out, "steps_cuda.csv")]),
            Part("tests", 1, [*pytest, "-n", "0", *few]),
        ]  # fmt: skip
    return [
        Part("machine", 3, ["benchmarks/machine.py", *_to(out, "machine.json")]),
        Part("compile", 9, ["benchmarks/ahead.py", "--jobs", cores]),
        Part("op", 8, ["benchmarks/op.py", "--device", "cuda", "--cases", "maps",
                       "--dtypes", "bfloat16", *_to(out, "op_cuda.csv"), "--rows", *kernels]),
        Part("model", 12, ["benchmarks/model.py", "--device", "cuda", *_to(out, "model_cuda.csv"),
                          "--models", *networks, "--variants", "*triton"]),
        Part("steps", 3, [*steps, "C", "B", "ReLU-9", "ReLU-10", "--device", "cuda",
                          *_to(out, "steps_cuda.csv")]),
        Part("tests", 5, [*pytest, "-n", cores, *tests]),
    ]  # fmt: skip


def run(
    todo: Sequence[Part], args: argparse.Namespace, end: float, env: dict[str, str]
) -> list[dict]:
    """Run parts until a time of the monotonic clock; return what parts.json holds."""
    records: list[dict] = []
    todo = [part for part in todo if not args.only or part.name in args.only]
    for number, part in enumerate(todo):
        later = sum(other.share for other in todo[number:])
        limit = (end - time.monotonic()) * part.share / later
        script = ROOT / part.command[0]
        if script.suffix == ".py" and not script.exists():
            record = dict(outcome="skipped", reason=f"there is no {part.command[0]}")
        elif limit < SHORTEST:
            record = dict(outcome="skipped", reason="no time was left")
        else:
            print(f"{part.name}: up to {limit:.0f} s", flush=True)
            record = measured(part, limit, env)
        records.append(dict(part=part.name, command=part.command, **record))
        print(f"{part.name}: {record['outcome']} {record.get('reason', '')}", flush=True)
        (args.out / "parts.json").write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return records


def measured(part: Part, limit: float, env: dict[str, str]) -> dict[str, object]:
    """Run a part; return how it ended."""
    start = time.monotonic()
    status, printed = launch(part.command, limit, env)
    record: dict[str, object] = dict(outcome="ok" if status == 0 else "failed")
    record["seconds"] = round(time.monotonic() - start, 1)
    if status is None:
        record["reason"] = f"its {limit:.0f} s were up"
    elif status:
        record["reason"] = f"exit status {status}"
    if status != 0 or part.command[0] == "-m":  # what pytest counts is its figure
        record["output"] = printed.splitlines()[-LINES:]
    return record


def launch(command: list[str], limit: float, env: dict[str, str]) -> tuple[int | None, str]:
    """Run Python; return its exit status, None if its time was up, and what it printed."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # so that its workers end with it
    )
    try:
        printed, _ = process.communicate(timeout=limit)
        return process.returncode, printed
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
        return None, printed


def install(wheels: Path, packages: str) -> None:
    """Install wheels into a folder, without an index and without their needs."""
    files = sorted(map(str, wheels.glob("*.whl")))
    if not files:
        sys.exit(f"error: there is no wheel in {wheels}: name the folder that holds *.whl files")
    pip = ["pip", "install", "-q", "--no-deps", "--no-index", "--target", packages, *files]
    done = subprocess.run([sys.executable, "-m", *pip], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
        sys.exit(f"error: pip cannot install the wheels in {wheels}: {last}")


def missing_packages(env: dict[str, str]) -> list[str]:
    """Return which of `NEEDED` Python does not find in an environment."""
    look = (
        "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if not u.find_spec(n)])"
    )
    command = [sys.executable, "-c", look, *NEEDED]
    return subprocess.run(command, env=env, capture_output=True, text=True).stdout.split()


def _to(out: Path, name: str) -> list[str]:
    return ["--out", str(out / name)]


def _inherited() -> list[str]:
    return [path for path in (os.environ.get("PYTHONPATH"),) if path]


if __name__ == "__main__":
    main()
