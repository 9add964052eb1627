"""The compatibility matrix, one environment after another: `make matrix`.

results/compatibility.csv keeps the last outcome of each. pip chooses the packages as it does for
`make`. Where torch could only be had with gigabytes of CUDA packages, the rest is installed and no
test runs; `DYRELU_MATRIX_CUDA=1` runs these too.
"""

import json
import os
import re
import subprocess
import sys
import time

import nox
from nox.command import CommandFailed

from dyrelu_pose.paths import ROOT
from dyrelu_pose.records.files import read_csv, write_csv
from dyrelu_pose.records.origin import revision, today

RESULTS = ROOT / "results/compatibility.csv"
COLUMNS = (
    *("case", "python", "torch", "numpy", "mmengine", "outcome"),
    *("seconds", "command", "revision", "date"),
)

LOCKED, OLDEST, NEWEST = "torch==2.13.0", "torch==2.6.0", "torch"
NUMPY, MMENGINE_5, MMENGINE_6 = "numpy==1.26.4", "mmengine==0.10.5", "mmengine==0.10.6"
CASES = {  # Python, torch, and what else is not as locked
    "locked": ("3.11", LOCKED),
    "mmengine-0.10.6": ("3.11", LOCKED, MMENGINE_6),
    "mmengine-0.10.5": ("3.11", LOCKED, MMENGINE_5),
    "numpy-1.26": ("3.11", LOCKED, NUMPY),
    "oldest-packages": ("3.11", LOCKED, NUMPY, MMENGINE_5),
    "torch-oldest": ("3.11", OLDEST),
    "torch-newest": ("3.11", NEWEST),
    "python-3.10": ("3.10", LOCKED),
    "python-3.12": ("3.12", LOCKED),
    "python-3.13": ("3.13", LOCKED),
    "all-oldest": ("3.10", OLDEST, NUMPY, MMENGINE_5),
    "all-newest": ("3.13", NEWEST),
}

# Where this project meets MMPose, MMEngine, MMCV, torch and NumPy; a training and a test in one.
TESTS = (
    *("tests/compat", "tests/config/test_safe.py", "tests/test_trust.py"),
    *("tests/layers", "tests/models", "tests/evaluation"),
)

PRINT_VERSIONS = """
import json, platform
from importlib.metadata import version
names = ("torch", "numpy", "mmengine")
print(json.dumps(dict(python=platform.python_version(), **{n: version(n) for n in names})))
"""

nox.options.default_venv_backend = "venv"


@nox.session
@nox.parametrize("python,case", [nox.param(CASES[name][0], name, id=name) for name in CASES])
def matrix(session: nox.Session, case: str) -> None:
    """Install a combination of versions and run the tests of what depends on them."""
    _, torch, *others = CASES[case]
    without = needs_cuda(session.python, torch) and not os.environ.get("DYRELU_MATRIX_CUDA")
    start = time.monotonic()
    found = dict(python=session.python, torch=torch)
    locked = (torch, others) == (LOCKED, [])
    try:
        if locked or not without:
            install(session, [] if without else [torch], others, locked)
        if without:
            installs = ", all but torch installs" if locked else ""
            outcome = f"not run{installs}: torch has CUDA packages only"
        else:
            found = json.loads(session.run("python", "-c", PRINT_VERSIONS, silent=True))
            command = ("python", "-m", "pytest", "-q", "-W", "ignore", *TESTS)
            printed = session.run(*command, env={"OMP_NUM_THREADS": "1"}, silent=True)
            outcome = re.findall(r"\d+ passed.*(?= in )", printed)[-1]
    except CommandFailed:
        record(case, found | dict(outcome="failed"), start)
        raise
    record(case, found | dict(outcome=outcome), start)
    if without:
        session.skip(outcome)


def needs_cuda(python: str, torch: str) -> bool:
    """Whether torch for a Python brings CUDA packages, from where pip would take it."""
    sources = dict(UV_FIND_LINKS="PIP_FIND_LINKS", UV_EXTRA_INDEX_URL="PIP_EXTRA_INDEX_URL")
    given = {name: os.environ[pips] for name, pips in sources.items() if pips in os.environ}
    resolved = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", "-q", "--python-version", python, "-"],
        input=torch, text=True, capture_output=True, check=True,
        env=os.environ | given | dict(UV_INDEX_STRATEGY="unsafe-best-match"),
    )  # fmt: skip
    return "nvidia-" in resolved.stdout


def install(session: nox.Session, torch: list[str], others: list[str], locked: bool) -> None:
    """Install as `make` does, or, with other versions, what the requirement files then allow."""
    mmengine = [other for other in others if other.startswith("mmengine")]
    others = [*torch, *(other for other in others if other not in mmengine)]
    if locked:
        session.install("--no-deps", "--require-hashes", "-r", "requirements/locks/hashed.txt")
        alone = [] if torch else ["--no-deps"]
        session.install(*alone, *others, "-r", "requirements/locks/platform.txt")
        session.install("--no-deps", "--require-hashes", "-r", "requirements/locks/openmmlab.txt")
    else:
        session.install(*others, "-r", "requirements.txt", "-r", "requirements/test.txt")
        files = ("requirements/openmmlab.txt", "requirements/mmpretrain.txt")
        session.install("--no-deps", *(part for file in files for part in ("-r", file)))
        if mmengine:
            session.install("--no-deps", *mmengine)
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


def record(case: str, found: dict[str, str], start: float) -> None:
    """Put an outcome in its row of the table, which keeps the order of `CASES`."""
    rows = {row["case"]: row for row in read_csv(RESULTS)}
    rows[case] = dict(
        case=case,
        **found,
        seconds=round(time.monotonic() - start),
        command=f"nox -s 'matrix({case})'",
        revision=revision(),
        date=today(),
    )
    write_csv(RESULTS, [rows[name] for name in CASES if name in rows], COLUMNS)
