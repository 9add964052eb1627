"""What `make` installs is locked: each requirement once per Python, hashed where it can be."""

import csv
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dyrelu_pose.paths import ROOT

NAMES = ("hashed", "platform", "openmmlab")
FILES = (
    "requirements.txt",
    *(f"requirements/{name}.txt" for name in ("test", "openmmlab", "mmpretrain")),
)
PYTHONS = ("3.10.1", "3.11.7", "3.12.0", "3.13.9")


def lines(path):
    texts = (line.partition("#")[0].strip() for line in (ROOT / path).read_text().splitlines())
    return [text for text in texts if text]


LOCKED = {name: lines(f"requirements/locks/{name}.txt") for name in NAMES}
EVERY = [Requirement(re.sub(" --hash=.*", "", line)) for name in NAMES for line in LOCKED[name]]


def versions(python):
    """The locked versions by name, on Linux."""
    where = dict(
        python_version=python.rpartition(".")[0],
        python_full_version=python,
        sys_platform="linux",
        platform_machine="x86_64",
    )
    needed = [r for r in EVERY if r.marker is None or r.marker.evaluate(where)]
    found = {canonicalize_name(requirement.name): requirement for requirement in needed}
    assert len(found) == len(needed), "a package is locked twice"
    return {
        name: str(requirement.specifier).removeprefix("==") for name, requirement in found.items()
    }


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_has_one_version_that_satisfies_it(python):
    locked = versions(python)
    for file in FILES:
        for line in lines(file):
            requirement = Requirement(line)
            if requirement.name == "torch":  # Makefile: its builds differ by index
                continue
            version = locked[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{line}: {version} is locked"


def test_versions_are_exact_and_from_no_particular_host():
    for requirement in EVERY:
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert not requirement.name.startswith("nvidia"), requirement
    for name in NAMES:
        assert "://" not in (ROOT / f"requirements/locks/{name}.txt").read_text()


def test_wheels_for_every_platform_have_a_hash():
    for name in ("hashed", "openmmlab"):
        for line in LOCKED[name]:
            assert re.search(r" --hash=sha256:[0-9a-f]{64}$", line), line


def test_the_table_lists_what_is_locked():
    with (ROOT / "results/dependencies.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    listed = {(row["package"], row["version"]) for row in table if row["package"] != "torch"}
    assert listed == {(r.name, str(r.specifier).removeprefix("==")) for r in EVERY}
    for row in table:
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row["released"]), row
        assert row["licence"] != "?", row
