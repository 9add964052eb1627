"""Place DyReLU in every 2D config that MMPose ships, and record what came of it."""

import fnmatch
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
from mmengine.config import Config, ConfigDict
from torch import nn

from dyrelu_pose.placement import Site, place, probe
from dyrelu_pose.placement.meta_device import run_without_values
from dyrelu_pose.records import files

FOLDERS = (
    "body_2d_keypoint",
    "wholebody_2d_keypoint",
    "hand_2d_keypoint",
    "face_2d_keypoint",
    "animal_2d_keypoint",
    "fashion_2d_keypoint",
)
# The paper's places: B in the backbone, C in the head. Necks are counted and left alone.
ACTS = {"backbone": dict(type="DyReLUB"), "neck": None, "head": dict(type="DyReLUC")}

# Errors of which the user can do something about the cause: what they look like, what is needed.
CAUSES = (
    (r"mmpretrain\.(\w+) is not in the", r"needs MMPretrain, for \1"),
    (r"mmcls\.(\w+) is not in the", r"names MMPretrain by its old name, mmcls.\1"),
    (r"full version of mmcv to use `(\w+)`", r"needs the compiled operators of mmcv, for \1"),
    (r"mmcv\.ops\.(\w+) is not available", r"needs the compiled operators of mmcv, for \1"),
    (r"/(mmpose/configs/\S+) not found", r"broken path in MMPose's wheel: \1"),
)


@dataclass(frozen=True)
class Row:
    """What came of one config.

    Attributes:
        config: Path below MMPose's folder of configs.
        status: `'placed'`; `'no sites'`; `'not built'`: its model cannot be built here;
            `'not placed'`: it can, and placement or the forward pass after it failed.
        backbone: Number of sites in the backbone, all of them DyReLU-B if placed.
        neck: Number of sites in the neck, which stay as they are.
        head: Number of sites in the head, all of them DyReLU-C if placed.
        reason: Why it is not placed, or which part has no sites.
    """

    config: str
    status: str
    backbone: int = 0
    neck: int = 0
    head: int = 0
    reason: str = ""


def config_root() -> Path:
    """Folder of the configs in the installed MMPose."""
    import mmpose

    return Path(mmpose.__file__).parent / ".mim" / "configs"


def wheel_configs(pattern: str = "*") -> list[str]:
    """List MMPose's 2D configs, as paths below its folder of configs.

    Args:
        pattern: Glob pattern that a path has to match; `*` crosses slashes.
    """
    root = config_root()
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    return fnmatch.filter([path.relative_to(root).as_posix() for path in paths], pattern)


def sweep(configs: Iterable[str]) -> Iterator[Row]:
    """Build, place, probe and run each config, and yield its row.

    Configs that have the same model and input size share one run. Nothing is downloaded: weights
    are only fetched when a model is initialised, and none is.

    Args:
        configs: Paths below MMPose's folder of configs.
    """
    known: dict[str, Row] = {}
    for config in configs:
        try:
            model, size = _model(config)
        except Exception as error:  # a broken config raises whatever its parser does
            yield Row(config, "not built", reason=explain(error))
            continue
        key = json.dumps([model, size], sort_keys=True, default=str)
        if key not in known:
            known[key] = _run(config, model, size)
        yield Row(**{**asdict(known[key]), "config": config})


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """Write rows as CSV with a header."""
    files.write_csv(path, [asdict(row) for row in rows])


def read_csv(path: Path) -> list[Row]:
    """Read what :func:`write_csv` wrote."""
    counts = ("backbone", "neck", "head")
    return [
        Row(**{**entry, **{name: int(entry[name]) for name in counts}})
        for entry in files.read_csv(path)
    ]


def summarize(rows: Iterable[Row]) -> str:
    """One line per status and reason with the number of configs, the most frequent first."""
    counts = Counter((row.status, row.reason) for row in rows)
    lines = [
        f"{count:4}  {status}{': ' if reason else ''}{reason}"
        for (status, reason), count in counts.most_common()
    ]
    return "\n".join([*lines, f"{counts.total():4}  configs"])


def explain(error: Exception) -> str:
    """Say in one short line what an error of a config needs, or what it is."""
    text = " ".join(str(error).split())
    for pattern, needed in CAUSES:
        if found := re.search(pattern, text):
            return found.expand(needed)
    return f"{type(error).__name__}: {text[:160]}"


def _model(config: str) -> tuple[dict, tuple[int, int]]:
    """Return the model and the input size (W, H) of a config."""
    cfg = Config.fromfile(config_root() / config)
    codec = cfg.codec[-1] if isinstance(cfg.codec, list) else cfg.codec
    return cast(dict, _located(cfg.model.to_dict())), tuple(codec.input_size)


def _located(value: object) -> object:
    """Resolve the paths of configs inside a model, which count from the folder above them all."""
    if isinstance(value, dict):
        return {key: _located(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_located, value))
    if isinstance(value, str) and value.startswith("configs/"):
        path = config_root().parent / value
        return str(path) if path.is_file() else value
    return value


def _run(config: str, model: dict, size: tuple[int, int]) -> Row:
    """Build and place a model without weights, or with them if it has to read values."""
    status = "not built"

    def placed(device: str) -> Row:
        nonlocal status
        status = "not built"
        with torch.no_grad():
            estimator = _build(model)
            status = "not placed"
            return _placed(config, estimator, size)

    try:
        return run_without_values(placed)
    except Exception as error:  # a broken model raises whatever it does
        return Row(config, status, reason=explain(error))


def _build(model: dict) -> nn.Module:
    from mmpose.registry import MODELS

    return MODELS.build(ConfigDict(model))


def _placed(config: str, estimator: nn.Module, size: tuple[int, int]) -> Row:
    """Place by part, run the estimator once, and count."""
    patterns = dict(map(_part, probe(estimator, size)))
    rules = [
        dict(sites=f"{patterns[part]}.*", act=act) for part, act in ACTS.items() if part in patterns
    ]
    if not rules:
        return Row(config, "no sites", reason="no ReLU-like activation on a map")
    placements = place(estimator, rules, size)
    estimator.eval()  # a statement: the train() of MMPose's backbones returns None
    estimator(torch.zeros(1, 3, *reversed(size)), None, mode="tensor")
    counts = Counter(_part(placement.site)[0] for placement in placements)
    missing = [part for part in ("backbone", "head") if not counts[part]]
    reason = f"no sites in the {missing[0]}" if missing else ""
    return Row(config, "placed", **counts, reason=reason)


def _part(site: Site) -> tuple[str, str]:
    """Return the estimator's part that a site is in, and that part's name, as in a student."""
    steps = site.name.split(".")
    index = next(i for i, step in enumerate(steps) if step in ACTS)
    return steps[index], ".".join(steps[: index + 1])
