"""Write the exact versions that `make` installs, and a table of them: `make lock`.

In requirements/locks/, hashed.txt has the packages whose one wheel serves every platform, with its
hash; platform.txt those with a wheel per platform; openmmlab.txt those that pip installs without
their requirements; each for all Pythons that are allowed. What torch's CUDA build needs besides is
left to torch. results/dependencies.csv adds the dates of the files and their licences.
Needs Python 3.11 and requirements/dev.txt.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, MetadataPathFinder
from pathlib import Path
from urllib.parse import unquote, urlsplit

import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rich.progress import track

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import ROOT
from dyrelu_pose.records.files import write_csv

PYTHON = "3.10"  # the oldest
TOGETHER = ("requirements.txt", "requirements/test.txt")
ALONE = ("requirements/openmmlab.txt", "requirements/mmpretrain.txt")  # for pip --no-deps
OF_CUDA = ("nvidia-", "cuda-")
ANY_PYTHON = re.compile(rf"python_full_version >= '{re.escape(PYTHON)}'( and |$)")
COLUMNS = ("package", "version", "released", "licence", "asked_for_by", "where", "hash")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--torch", default="torch==2.13.0", help="(%(default)s)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Resolve, and write the four files."""
    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        torch = Path(folder, "torch.txt")
        torch.write_text(args.torch, encoding="utf-8")
        together = [
            package for package in resolve([*TOGETHER, torch])
            if not package["name"].startswith(OF_CUDA)
        ]  # fmt: skip
        alone = resolve(ALONE, "--no-deps")
        packages = sorted([*together, *alone], key=lambda p: (p["name"], p["version"]))
        licences = find_licences(packages, Path(folder))
    files = {file: asked_for(file) for file in (*TOGETHER, *ALONE)}
    asked = {name: found for names in files.values() for name, found in names.items()}
    locked = [package for package in together if package["name"] != "torch"]
    write_lock("hashed", filter(wheel_for_all, locked), asked)
    write_lock("platform", (p for p in locked if not wheel_for_all(p)), asked)
    write_lock("openmmlab", alone, asked)
    reasons = {name: file for file, names in files.items() for name in names}
    rows = [row(p, licences[p["name"]], reasons, asked) for p in packages]
    write_csv(ROOT / "results/dependencies.csv", rows, COLUMNS)


def resolve(files: Iterable[str | Path], *flags: str) -> list[dict]:
    """Return the packages, as PEP 751 describes them, that satisfy some requirement files."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal",
               "--python-version", PYTHON, "--format", "pylock.toml", *flags, *files]  # fmt: skip
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"uv found no versions:\n{done.stderr}")
    return tomllib.loads(done.stdout)["packages"]


def wheel_for_all(package: dict) -> dict | None:
    """Return the wheel of a package that has no other, if it serves every platform."""
    wheels = package.get("wheels", [])
    return wheels[0] if len(wheels) == 1 and filename(wheels[0]).endswith("-none-any.whl") else None


def filename(file: dict) -> str:
    """Return the name of a file of a package."""
    return unquote(urlsplit(file["url"]).path.rpartition("/")[2])


def where(package: dict, asked: dict[str, Requirement]) -> str:
    """Return the marker of a package, without what is true of every Python that is allowed."""
    own = asked[package["name"]].marker if package["name"] in asked else None
    return str(own or ANY_PYTHON.sub("", package.get("marker", "")))


def write_lock(name: str, packages: Iterable[dict], asked: dict[str, Requirement]) -> None:
    """Write a lock file, with the hashes of wheels that serve every platform."""
    lines = ["# Written by `make lock` from the requirement files; tools/dev/lock.py says how."]
    for package in packages:
        marker = where(package, asked)
        wheel = wheel_for_all(package)
        lines.append(
            f"{package['name']}=={package['version']}"
            + (f" ; {marker}" if marker else "")
            + (f" --hash=sha256:{wheel['hashes']['sha256']}" if wheel else "")
        )
    (ROOT / f"requirements/locks/{name}.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def asked_for(file: str) -> dict[str, Requirement]:
    """Return what a requirement file asks for, by name."""
    text = (ROOT / file).read_text(encoding="utf-8")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    found = [Requirement(line) for line in lines if line]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def row(
    package: dict, licence: str, reasons: dict[str, str], asked: dict[str, Requirement]
) -> dict[str, str]:
    """Return the line of the table about a package."""
    times = [file["upload-time"] for file in (*package.get("wheels", []), package.get("sdist"))
             if file]  # fmt: skip
    values = (
        *(package["name"], package["version"], min(times).date().isoformat(), licence),
        *(reasons.get(package["name"], "another package"), where(package, asked)),
        "yes" if wheel_for_all(package) else "no",
    )
    return dict(zip(COLUMNS, values, strict=True))


def find_licences(packages: list[dict], folder: Path) -> dict[str, str]:
    """Return the licences by package, read from the metadata of some version of each."""
    versions = {package["name"]: package["version"] for package in packages}
    licences = {}
    for name, version in track(versions.items(), "licences"):
        found = find(name, sys.path)
        if found is None:  # not for this Python or platform
            command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps",
                       "--target", str(folder / name), f"{name}=={version}"]  # fmt: skip
            subprocess.run(command, check=True)
            found = find(name, [str(folder / name)])
        if found is None:
            raise UserError(
                f"{name} {version} has no metadata that name its licence: require another version"
            )
        licences[name] = licence(found)
    return licences


def find(name: str, path: list[str]) -> Distribution | None:
    """Return a package that is installed below a path."""
    context = MetadataPathFinder.Context(name=name, path=path)
    return next(iter(MetadataPathFinder.find_distributions(context)), None)


def licence(distribution: Distribution) -> str:
    """Return the licence that a package's metadata name."""
    metadata = distribution.metadata
    if expression := metadata["License-Expression"]:
        return expression
    classifiers = metadata.get_all("Classifier") or []
    named = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ")]
    text = (metadata["License"] or "").strip()
    return ", ".join(n for n in named if n != "OSI Approved") or text.partition("\n")[0] or "?"


if __name__ == "__main__":
    with user_errors():
        main()
