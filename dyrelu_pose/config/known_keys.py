"""Check that every key is read by something: a misspelt one would change nothing.

Or it would be an unexpected argument of some class, after the work directory has been made.
"""

import difflib
import inspect
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from importlib.util import find_spec

import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log
from mmengine.optim import ZeroRedundancyOptimizer
from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    EVALUATOR,
    FUNCTIONS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    Registry,
    init_default_scope,
)
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader

from .errors import ConfigError, expect
from .parts import KNOWN, LIBRARIES, data_sets, is_of, later_pipelines, listed, metrics

ENV = {"cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit"}
# Those of `Runner.register_default_hooks`, which None takes out of it; of another it is an error.
MMENGINES_HOOKS = {
    "runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint",
}  # fmt: skip
AUTO_SCALE = {"enable", "base_batch_size"}
# of `DefaultOptimWrapperConstructor`, of ours, and of one of its `custom_keys`
PARAMWISE = {
    "custom_keys", "bias_lr_mult", "bias_decay_mult", "norm_decay_mult", "dwconv_decay_mult",
    "flat_decay_mult", "dcn_offset_lr_mult", "bypass_duplicate",
}  # fmt: skip
CONSTRUCTORS = {
    "DefaultOptimWrapperConstructor": PARAMWISE,
    "DyReLUOptimWrapperConstructor": PARAMWISE
    | {"force_default_settings", "hyper_lr_scale", "hyper_lr_biases"},
}
# of MMPose's for transformers, which ours cannot do
LAYER_DECAY = {"num_layers", "layer_decay_rate"}
CUSTOM = {"lr_mult", "decay_mult"}
# of MMPose's heads in a `TopdownPoseEstimator`
TOP_DOWN = {
    "flip_test", "flip_mode", "shift_heatmap", "shift_coords", "output_heatmaps",
    "output_keypoint_indices",
}  # fmt: skip
# of `filter_cfg` in MMPose's configs of YOLOX-Pose and of RTMW; MMPose does not read them
UNREAD = {"filter_empty_gt", "min_size", "scenes"}
# What the runner takes out before it builds one.
TAKEN = {
    HOOKS: {"priority"},
    LOOPS: {"by_epoch"},
    OPTIM_WRAPPERS: {"optimizer", "constructor", "paramwise_cfg"},
    PARAM_SCHEDULERS: {"convert_to_iter_based"},
}
OF_LOADERS = {
    "sampler": DATA_SAMPLERS,
    "batch_sampler": DATA_SAMPLERS,
    "collate_fn": FUNCTIONS,
    "worker_init_fn": FUNCTIONS,
}
NEEDED = ("model", "train_dataloader", "train_cfg", "optim_wrapper")  # the first by all
UNSAID = {"type", "_scope_", "params", "optimizer"}  # of what is built
# What a loop is without a type, and without by_epoch.
LOOP = {"train": "IterBasedTrainLoop", "val": "ValLoop", "test": "TestLoop"}


def check_keys(cfg: Config, splits: Sequence[str]) -> None:
    """Check the keys of hooks, schedules, loops, loaders, metrics, and of dicts read by `get`.

    Args:
        cfg: The config.
        splits: What is used of it: 'train', 'val', 'test'.

    Raises:
        ConfigError: A `type` names no class, or nothing reads a key; the message suggests similar
            names. Or a count, such as a batch size or a number of epochs, is not a whole number.
    """
    init_default_scope(cfg.get("default_scope") or "mmpose")
    for name in NEEDED if "train" in splits else NEEDED[:1]:
        expect(cfg.get(name), dict, name)
    _check_counts(cfg, splits)
    for key, part, known in (*_looked_up(cfg, splits), *_built(cfg, splits)):
        for name in expect(part, dict, key):
            if name not in known:
                close = difflib.get_close_matches(name, known, n=2) or sorted(set(known) - UNSAID)
                hint = f"{key} may have {', '.join(close)}"
                if key == "optim_wrapper.paramwise_cfg" and name in LAYER_DECAY:
                    hint = (
                        "optim_wrapper.constructor is not LayerDecayOptimWrapperConstructor; keep "
                        "that one, or write paramwise_cfg=dict(_delete_=True) beside yours"
                    )
                raise ConfigError(f"{key}.{name} of the config is read by nothing: {hint}")


def _check_counts(cfg: Config, splits: Sequence[str]) -> None:
    part = partial(_part, cfg)
    for split in splits:
        _check_count(*part(f"{split}_dataloader"), "batch_size", 1)
        _check_count(*part(f"{split}_dataloader"), "num_workers", 0)
        for key, dataset, _ in data_sets(cfg, split):
            _check_count(key, dataset, "sample_interval", 1)
            _check_count(key, dataset, "times", 1)  # of RepeatDataset
    if "train" in splits:
        for name in ("max_epochs", "max_iters", "val_interval"):
            _check_count(*part("train_cfg"), name, 1, float)
        _check_count(*part("train_cfg"), "val_begin", 0)
        _check_count(*part("optim_wrapper"), "accumulative_counts", 1)
        key, scale = part("auto_scale_lr")
        if scale.get("enable"):
            _check_count(key, {"base_batch_size": None, **scale}, "base_batch_size", 1, float)


def _check_count(key: str, part: dict, name: str, lowest: int, *kinds: type) -> None:
    """Check that an entry is an `int`, or a whole number of other kinds, from the lowest on."""
    value = part.get(name, lowest)
    if type(value) not in (int, *kinds) or value < lowest or value % 1:
        raise ConfigError(
            f"{key}.{name} of the config is {value!r}: it has to be a whole number from {lowest}"
        )


def _looked_up(cfg: Config, splits: Sequence[str]) -> Iterator[tuple[str, dict, Collection[str]]]:
    """Yield (key, what is there, known keys) of dicts whose keys are looked up, with `get`."""
    part = partial(_part, cfg)
    yield *part("env_cfg"), ENV
    yield *part("env_cfg", "mp_cfg"), _parameters(set_multi_processing) - {"distributed"}
    yield *part("randomness"), _parameters(Runner.set_randomness)
    for split in splits:
        loader = {"num_batch_per_epoch"} | _parameters(DataLoader)
        yield *part(f"{split}_dataloader"), loader
        for key, dataset, _ in data_sets(cfg, split):
            kind = _class(DATASETS, dataset)
            if getattr(kind, "filter_data", None) is BaseCocoStyleDataset.filter_data:
                filter_cfg = expect(dataset.get("filter_cfg") or {}, dict, f"{key}.filter_cfg")
                if unread := UNREAD & filter_cfg.keys():
                    print_log(
                        f"{key}.filter_cfg of the config has {', '.join(sorted(unread))}, which "
                        "MMPose does not read: nothing is left out by it",
                        "current",
                        logging.WARNING,
                    )
                yield f"{key}.filter_cfg", filter_cfg, {"bbox_score_thr", *unread}
    _, model = part("model")
    is_top_down = model.get("estimator", model.get("type")) == "TopdownPoseEstimator"
    if is_top_down and is_of(_class(MODELS, part("model", "head")[1]), KNOWN):
        yield *part("model", "test_cfg"), TOP_DOWN
    if "train" in splits:
        if not isinstance(cfg.get("compile"), bool):
            yield *part("compile"), _parameters(torch.compile) - {"model"}
        yield *part("auto_scale_lr"), AUTO_SCALE
        clip = {"type"} | _parameters(clip_grad_norm_) | _parameters(clip_grad_value_)
        yield *part("optim_wrapper", "clip_grad"), clip - {"parameters"}
        _, optim = part("optim_wrapper")
        constructor = optim.get("constructor", "DefaultOptimWrapperConstructor")
        if known := CONSTRUCTORS.get(constructor):
            key, paramwise = part("optim_wrapper", "paramwise_cfg")
            yield key, paramwise, known
            custom = paramwise.get("custom_keys") or {}
            yield from ((f"{key}.custom_keys.{name}", custom[name], CUSTOM) for name in custom)


def _built(cfg: Config, splits: Sequence[str]) -> Iterator[tuple[str, dict, Collection[str]]]:
    """Yield (key, what is there, known keys) of what is built, if its class says what it takes."""
    for key, part, registry in _to_build(cfg, splits):
        kind = _class(registry, expect(part, dict, key))
        if kind is None:
            name = part.get("type")
            if name is None:
                raise ConfigError(f"{key} of the config has no type")
            close = difflib.get_close_matches(str(name), _names(registry), n=2)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            package, dot, _ = str(name).partition(".")
            if dot and not find_spec(package):
                hint = f": {package} is not installed; install it, or leave {key} out"
            raise ConfigError(
                f"{key}.type of the config is {name!r}: there is no such {registry.name}{hint}"
            )
        if (takes := _takes(kind)) is not None:
            known = {"type", "_scope_"} | takes | TAKEN.get(registry, set())
            yield key, part, known


def _to_build(cfg: Config, splits: Sequence[str]) -> Iterator[tuple[str, dict, Registry]]:
    """Yield (key, config, registry of its class) of what a runner builds."""
    for name, hook in (cfg.get("default_hooks") or {}).items():
        if hook is not None or name not in MMENGINES_HOOKS:
            key = f"default_hooks.{name}"
            yield key, expect(hook, dict, key), HOOKS
    for i, hook in enumerate(cfg.get("custom_hooks") or ()):
        if isinstance(expect(hook, (dict, Hook), f"custom_hooks.{i}"), dict):
            yield f"custom_hooks.{i}", hook, HOOKS
    if cfg.get("visualizer"):
        yield "visualizer", cfg.visualizer, VISUALIZERS
        for i, backend in enumerate(cfg.visualizer.get("vis_backends") or ()):
            yield f"visualizer.vis_backends.{i}", backend, VISBACKENDS
    if cfg.get("log_processor"):
        yield "log_processor", {"type": "LogProcessor", **cfg.log_processor}, LOG_PROCESSORS
    for split in splits:
        loop = cfg.get(f"{split}_cfg")
        if isinstance(loop, dict):
            by_epoch = split == "train" and loop.get("by_epoch")
            kind = "EpochBasedTrainLoop" if by_epoch else LOOP[split]
            yield f"{split}_cfg", {"type": kind, **loop}, LOOPS
        loader = cfg.get(f"{split}_dataloader") or {}
        for name, registry in OF_LOADERS.items():
            if isinstance(loader.get(name), dict):
                yield f"{split}_dataloader.{name}", loader[name], registry
        for key, dataset, _ in data_sets(cfg, split):
            yield from _steps(f"{key}.pipeline", dataset.get("pipeline") or ())
        if split != "train":
            key, evaluator = f"{split}_evaluator", cfg.get(f"{split}_evaluator")
            if isinstance(evaluator, dict) and "metrics" in evaluator:
                yield key, {"type": "Evaluator", **evaluator}, EVALUATOR
            yield from ((where, metric, METRICS) for where, metric in metrics(cfg, split))
    if "train" in splits:
        for key, pipeline in later_pipelines(cfg):
            yield from _steps(key, pipeline)
        optim = cfg.get("optim_wrapper")
        if isinstance(optim, dict) and "optimizer" in optim:
            yield "optim_wrapper", {"type": "OptimWrapper", **optim}, OPTIM_WRAPPERS
            if isinstance(optim["optimizer"], dict):
                yield "optim_wrapper.optimizer", optim["optimizer"], OPTIMIZERS
        schedulers = cfg.get("param_scheduler")
        for i, scheduler in enumerate(listed(schedulers)):
            if isinstance(scheduler, dict):
                yield f"param_scheduler.{i}", scheduler, PARAM_SCHEDULERS


def _steps(key: str, pipeline: Sequence) -> Iterator[tuple[str, dict, Registry]]:
    for i, step in enumerate(pipeline):
        if isinstance(step, dict):
            yield f"{key}.{i}", step, TRANSFORMS


def _part(cfg: Config, *names: str) -> tuple[str, dict]:
    """Return the key and the value of a part that may be missing."""
    value: dict = cfg._cfg_dict
    for i, name in enumerate(names):
        value = expect(value.get(name) or {}, dict, ".".join(names[: i + 1]))
    return ".".join(names), value


def _class(registry: Registry, part: dict) -> object:
    """Return what a part is built of, by the config's scope; None if there is no such thing."""
    kind = part.get("type")
    with registry.switch_scope_and_registry(None) as here:
        return here.get(kind) if isinstance(kind, str) else kind


def _names(registry: Registry) -> list[str]:
    with registry.switch_scope_and_registry(None) as here:
        return [*registry.module_dict, *here.module_dict]


def _takes(kind: object) -> set[str] | None:
    """Return the parameters of a class, and of its bases where it passes on what it does not know.

    Returns:
        None: It may take anything.
    """
    if not inspect.isclass(kind):
        return None
    found = set()
    for owner in kind.__mro__:
        if "__init__" not in vars(owner) or owner is object:
            continue
        parameters = inspect.signature(owner.__init__).parameters.values()
        found |= {parameter.name for parameter in parameters} - {"self"}
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            return found
        if issubclass(owner, CheckpointHook):  # which has the rest for the runner
            return found | _parameters(Runner.save_checkpoint)
        if owner is ZeroRedundancyOptimizer:  # which has the rest for the one in it
            return None
        if not is_of(owner, LIBRARIES):
            return None
    return None if found else set()


def _parameters(function: Callable) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}
