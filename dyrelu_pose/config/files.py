"""Check that the files and packages a config names are there, before anything heavy starts."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from os.path import join
from pathlib import Path

from mmengine.config import Config

from dyrelu_pose.engine.tensorboard import check_tensorboard
from dyrelu_pose.errors import UserError

from .class_folders import check_classes
from .errors import expect
from .parts import data_sets, listed, metrics

HINTS = {
    "coco": "COCO 2017 (images, annotations) comes from cocodataset.org; the person detections are "
    "linked in MMPose's data preparation page",
    "imagenet": "ImageNet is found through the environment variable IMAGENET: one folder per class "
    "in train/ and in val/",
    "coco_mini": "COCO-mini is found through the environment variable DYRELU_DATA",
    "drawn": "make study-data draws the people",
    "study_crops": "make study-data cuts out the crops, where DYRELU_DATA names the pictures",
    "synthetic": "make the synthetic set with: python -m dyrelu_pose make-synthetic-coco "
    "data/synthetic",
}

# Packages of MMEngine's visualiser backends, which import them when the work directory is there.
PACKAGES = {
    "AimVisBackend": "aim",
    "ClearMLVisBackend": "clearml",
    "DVCLiveVisBackend": "dvclive",
    "MLflowVisBackend": "mlflow",
    "NeptuneVisBackend": "neptune",
    "WandbVisBackend": "wandb",
}


class MissingFilesError(UserError):
    """Files or folders that a config names do not exist."""


def check_files(cfg: Config, splits: Sequence[str]) -> None:
    """Check that data, annotations, detections and local weights of `splits` are there.

    Args:
        cfg: The config.
        splits: What is used of it: 'train', 'val', 'test'.

    Raises:
        MissingFilesError: Files do not exist; the message lists all of them, with their keys and
            where the data come from. Or torchvision, or a visualiser's package, is not installed.
        UserError: The visualiser's package is TensorBoard.
        ImageFolderError: A folder of images per class is not laid out as one.
    """
    _check_backends(cfg)
    everything = list(_all_paths(cfg, splits))
    _check_torchvision(everything)
    paths = list(_local(everything))
    missing = {key: path for key, path in paths if not Path(path).exists()}
    if missing:
        raise MissingFilesError(_explanation(missing))
    check_classes(cfg, splits)


def _explanation(missing: dict[str, str]) -> str:
    listed = "\n".join(f"  {path}  ({key})" for key, path in missing.items())
    hints = [f"\n{hint}." for name, hint in HINTS.items() if f"/{name}/" in listed]
    if any(key.partition(".")[0].endswith(("_dataloader", "_evaluator")) for key in missing):
        hints.append("\nTo train without any data set of your own, run in a checkout: make demo")
    return f"the config needs files that do not exist:\n{listed}{''.join(hints)}"


def _check_backends(cfg: Config) -> None:
    for backend in (cfg.get("visualizer") or {}).get("vis_backends") or []:
        if backend["type"] == "TensorboardVisBackend":
            check_tensorboard("TensorboardVisBackend in visualizer.vis_backends")
        package = PACKAGES.get(backend["type"])
        if package and find_spec(package) is None:
            raise MissingFilesError(
                f"{backend['type']} in visualizer.vis_backends needs the package {package}, which "
                f"is not installed: pip install {package}"
            )


def _check_torchvision(paths: Sequence[tuple[str, str | None]]) -> None:
    for key, path in paths:
        if path and path.startswith("torchvision://") and find_spec("torchvision") is None:
            raise MissingFilesError(
                f"{key}={path} is read through torchvision, which is not installed: install the "
                "one that matches your torch, or set that init_cfg to None or to a local file"
            )


def _local(paths: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, str]]:
    """Yield (config key, path) of each local file or folder, once."""
    seen = set()
    for key, path in paths:
        if path and "://" not in path and path not in seen:
            seen.add(path)
            yield key, path


def _all_paths(cfg: Config, splits: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Yield (config key, path or URL) of everything that the config reads."""
    for split in splits:
        for key, dataset, _ in data_sets(cfg, split):
            yield from _paths_of(key, dataset)
        for key, metric in metrics(cfg, split):
            yield _path(metric, key, "ann_file")
    yield _path(cfg, "", "load_from")
    model = expect(cfg.get("model"), dict, "model")
    for part in ("backbone", "neck", "head"):
        of_part = expect(model.get(part) or {}, dict, f"model.{part}")
        for entry in listed(of_part.get("init_cfg")):
            key = f"model.{part}.init_cfg"
            if expect(entry, dict, key).get("type") == "Pretrained":
                yield _path(entry, key, "checkpoint")


def _paths_of(key: str, dataset: dict) -> Iterator[tuple[str, str | None]]:
    _, root = _path(dataset, key, "data_root")
    where, annotations = _path(dataset, key, "ann_file")
    if annotations:
        yield where, join(root or "", annotations)
    prefixes = expect(dataset.get("data_prefix") or {}, (dict, str), f"{key}.data_prefix")
    for name, prefix in (prefixes if isinstance(prefixes, dict) else {"": prefixes}).items():
        where = f"{key}.data_prefix.{name}".rstrip(".")
        yield where, join(root or "", expect(prefix, str, where))
    yield _path(dataset, key, "bbox_file")


def _path(config: dict | Config, key: str, name: str) -> tuple[str, str | None]:
    """Return the full key of an entry of `config`, which is at `key`, and its value."""
    key = f"{key}.{name}".lstrip(".")
    value = config.get(name)
    return key, None if value is None else expect(value, str, key)
