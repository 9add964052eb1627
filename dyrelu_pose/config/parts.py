"""The parts of a config by their keys: data sets, metrics, hooks; and what a `type` stands for."""

from collections.abc import Iterator, Sequence

from mmengine.config import Config
from mmengine.registry import Registry

from .errors import expect

# Packages whose transforms say how many keypoints they make, if they change that.
KNOWN = ("dyrelu_pose", "mmcv", "mmdet", "mmpose")
# Packages whose classes pass unknown arguments on to their bases, and whose hooks do nothing in
# `__init__` that lasts.
LIBRARIES = (*KNOWN, "mmengine", "torch")


def registered(registry: Registry, config: dict) -> object:
    """Return what the `type` of a part of a config stands for; None if nothing is known of it."""
    kind = config.get("type")
    return registry.get(kind) if isinstance(kind, str) else kind


def is_of(kind: object, packages: Sequence[str]) -> bool:
    """Whether a class or a function is defined in one of some packages."""
    return str(getattr(kind, "__module__", None)).partition(".")[0] in packages


def listed(value: object) -> Sequence:
    """One entry, several, or None, as a sequence."""
    if value is None:
        return []
    return value if isinstance(value, (list, tuple)) else [value]


def entries(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield (dotted key, value) of everything in a config, at any depth; (W, H) is one value."""
    if key:
        yield key, value
    items = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list | tuple) and any(isinstance(v, dict | list | tuple) for v in value):
        items = enumerate(value)
    for name, item in items:
        yield from entries(item, f"{key}.{name}".lstrip("."))


def data_sets(cfg: Config, split: str) -> Iterator[tuple[str, dict, Sequence[dict]]]:
    """Yield (config key, config, transforms) of the data sets of 'train', 'val' or 'test'.

    Raises:
        ConfigError: A part is of no type that it can have.
    """
    loader = cfg.get(f"{split}_dataloader")
    if loader is not None:
        loader = expect(loader, dict, f"{split}_dataloader")
        yield from nested_data_sets(f"{split}_dataloader.dataset", loader.get("dataset"))


def nested_data_sets(
    key: str, dataset: object, around: Sequence[dict] = ()
) -> Iterator[tuple[str, dict, Sequence[dict]]]:
    """Yield (config key, config, transforms) of a data set, and first of those that it combines.

    Args:
        key: Where it is in the config.
        dataset: What is there.
        around: Transforms of the data sets that it is in; its own come before them.

    Raises:
        ConfigError: A part is of no type that it can have.
    """
    dataset = expect(dataset, dict, key)
    pipeline = expect(dataset.get("pipeline") or (), (list, tuple), f"{key}.pipeline")
    transforms = [*(step for step in pipeline if isinstance(step, dict)), *around]
    parts = expect(dataset.get("datasets", []), (list, tuple), f"{key}.datasets")
    for i, part in enumerate(parts):  # CombinedDataset
        yield from nested_data_sets(f"{key}.datasets.{i}", part, transforms)
    if "dataset" in dataset:  # RepeatDataset and the like
        yield from nested_data_sets(f"{key}.dataset", dataset["dataset"], transforms)
    yield key, dataset, transforms


def innermost_dataset(dataset: dict) -> dict:
    """Return the config of the data set itself, out of those around it, such as RepeatDataset."""
    while "dataset" in dataset:
        dataset = dataset["dataset"]
    return dataset


def later_pipelines(cfg: Config) -> Iterator[tuple[str, Sequence[dict]]]:
    """Yield (config key, transforms) of the pipelines that hooks change that of the training to.

    Raises:
        ConfigError: One is no list.
    """
    for i, hook in enumerate(listed(cfg.get("custom_hooks"))):
        # of MMDetection's PipelineSwitchHook, of MMPose's YOLOXPoseModeSwitchHook
        for name in ("switch_pipeline", "new_train_pipeline"):
            if isinstance(hook, dict) and hook.get(name):
                key = f"custom_hooks.{i}.{name}"
                yield key, expect(hook[name], (list, tuple), key)


def metrics(cfg: Config, split: str) -> Iterator[tuple[str, dict]]:
    """Yield (config key, config) of each metric of the evaluator of a split, 'val' or 'test'.

    As MMEngine's runner reads it, an evaluator is a metric, several, or a dict that has them as its
    `metrics`.

    Raises:
        ConfigError: A metric is not a dict.
    """
    key = f"{split}_evaluator"
    evaluator = cfg.get(key)
    if isinstance(evaluator, dict) and "metrics" in evaluator:
        key, evaluator = f"{key}.metrics", evaluator["metrics"]
    if isinstance(evaluator, (list, tuple)):
        for i, metric in enumerate(evaluator):
            yield f"{key}.{i}", expect(metric, dict, f"{key}.{i}")
    elif evaluator is not None:
        yield key, expect(evaluator, dict, key)


def hooks_of(cfg: Config) -> dict[str, dict]:
    """Return the configs of hooks, by their keys."""
    hooks = {
        f"default_hooks.{name}": hook for name, hook in (cfg.get("default_hooks") or {}).items()
    }
    hooks |= {f"custom_hooks.{i}": hook for i, hook in enumerate(listed(cfg.get("custom_hooks")))}
    return {key: hook for key, hook in hooks.items() if isinstance(hook, dict)}
