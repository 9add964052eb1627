"""A key that nothing reads is refused by name, before anything is built."""

import ast
import inspect
import textwrap

import pytest
from mmengine.config import Config
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.runner import Runner

from dyrelu_pose.config import known_keys
from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.config.known_keys import (
    AUTO_SCALE,
    CONSTRUCTORS,
    CUSTOM,
    ENV,
    MMENGINES_HOOKS,
    check_keys,
)
from dyrelu_pose.engine.optim import DyReLUOptimWrapperConstructor
from tests.test_configs import CONFIGS, ROOT

SPLITS = ("train", "val", "test")
DEMO = "configs/demo/dyrelu_resnet18.py"


@pytest.mark.parametrize("name", CONFIGS)
def test_what_ships_passes(name):
    check_keys(Config.fromfile(ROOT / name), SPLITS)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("optim_wrapper.paramwise_cfg.norm_decay_multi", 0, "may have norm_decay_mult"),
        ("optim_wrapper.paramwise_cfg.num_layers", 12, "not LayerDecayOptimWrapperC.*; keep that"),
        ("optim_wrapper.paramwise_cfg.custom_keys", {"head": dict(lr_mul=2)}, "head may have lr_m"),
        ("optim_wrapper.clip_grad", dict(max_nrom=1.0), "clip_grad may have max_norm"),
        ("optim_wrapper.clip_gard", dict(max_norm=1.0), "optim_wrapper may have clip_grad"),
        ("optim_wrapper.optimizer.learning_rate", 1, r"optimizer may have amsgrad, betas, .* lr,"),
        ("optim_wrapper.optimizer.type", "Adamm", "there is no such optimizer; did you mean Adam"),
        ("auto_scale_lr.enabled", True, "auto_scale_lr may have enable$"),
        ("auto_scale_lr", dict(enable=True, base_batch_size=0), "size of the config is 0: it has"),
        ("auto_scale_lr", dict(enable=True, base_batch_size=None), "base_batch_size .* is None:"),
        ("train_dataloader.dataset.sample_interval", 0, "train_dataloader.dataset.sample_interval "
         "of the config is 0: it has to be a whole number from 1"),
        ("val_dataloader.dataset.filter_cfg", dict(max_size=32), "filter_cfg may have bbox_score_"),
        ("env_cfg.cudnn_benchmrk", True, "env_cfg may have cudnn_benchmark"),
        ("env_cfg.mp_cfg.opencv_num_thread", 1, "may have opencv_num_threads"),
        ("compile", dict(backnd="eager"), "compile may have backend"),
        ("custom_hooks", ["EMAHook"], "custom_hooks.0 of the config is 'EMAHook': it has to be a"),
        ("compile", "eager", "compile of the config is 'eager': it has to be a dict"),
        ("randomness.sead", 1, "randomness may have seed"),
        ("train_cfg.max_epoch", 1, "train_cfg may have max_epochs"),
        ("train_cfg.max_epochs", "ten", "is 'ten': it has to be a whole number from 1"),
        ("train_cfg.max_epochs", 1.5, "is 1.5: it has to be a whole number from 1"),
        ("train_cfg.max_epochs", float("nan"), "is nan: it has to be a whole number from 1"),
        ("train_dataloader.batch_size", 8.0, "is 8.0: it has to be a whole number from 1"),
        ("train_dataloader.batchsize", 1, "train_dataloader may have batch_size"),
        ("train_dataloader.batch_size", 0, "is 0: it has to be a whole number from 1"),
        ("val_dataloader.num_workers", -1, "is -1: it has to be a whole number from 0"),
        ("train_dataloader.sampler.shufle", True, "sampler may have shuffle"),
        ("train_dataloader.dataset.pipeline.3.scale_factr", (1, 1), "may have scale_factor"),
        ("val_dataloader.dataset.pipeline.0.type", "LoadImagee", "did you mean LoadImage"),
        ("val_evaluator.use_aera", False, "val_evaluator may have use_area"),
        ("test_evaluator.type", "CocoMetrik", "there is no such metric; did you mean CocoMetric"),
        ("default_hooks.checkpoint.intervall", 1, "may have interval"),
        ("default_hooks.visualization", None, "visualization of the config is None: it has to be"),
        ("default_hooks.chekpoint.interval", 1, "default_hooks.chekpoint of .* has no type"),
        ("custom_hooks", [dict(type="EMAHook", priority=49), dict(type="nowhere.Hook")],
         r"custom_hooks.1.type of the config is 'nowhere.Hook': .*: nowhere is not installed; "
         r"install it, or leave custom_hooks.1 out"),
        ("param_scheduler.0.beginn", 1, "param_scheduler.0 may have begin"),
        ("log_processor.windowsize", 1, "may have window_size"),
        ("train_cfg", None, "train_cfg of the config is None: it has to be a dict"),
        ("model", None, "model of the config is None: it has to be a dict"),
        ("model.test_cfg.flip_tset", True, "test_cfg may have flip_test"),
        ("env_cfg.mp_cfg", "fork", r"env_cfg\.mp_cfg of the config is 'fork': it has to be a dict"),
    ],
)  # fmt: skip
def test_what_nothing_reads_is_named(key, value, message):
    cfg = Config.fromfile(DEMO)
    cfg.merge_from_dict({key: value})
    with pytest.raises(ConfigError, match=message):
        check_keys(cfg, SPLITS)


def test_filters_of_mmposes_configs_that_it_does_not_read_are_warned_of(monkeypatch):
    cfg, logged = Config.fromfile(DEMO), []
    monkeypatch.setattr(known_keys, "print_log", lambda text, *_: logged.append(text))
    cfg.train_dataloader.dataset.filter_cfg = dict(min_size=32, scenes=["real_human"])
    check_keys(cfg, SPLITS)
    assert logged == [
        "train_dataloader.dataset.filter_cfg of the config has min_size, scenes, which "
        "MMPose does not read: nothing is left out by it"
    ]


def test_steps_of_a_pipeline_that_comes_later():
    cfg = Config.fromfile(DEMO)
    switch = dict(type="mmdet.PipelineSwitchHook", switch_epoch=1)
    cfg.custom_hooks = [dict(switch, switch_pipeline=[dict(type="RandomFlip", probability=1)])]
    message = r"custom_hooks\.0\.switch_pipeline\.0\.probability of the config is read by nothing"
    with pytest.raises(ConfigError, match=message):
        check_keys(cfg, SPLITS)
    check_keys(cfg, ["val"])


@pytest.mark.parametrize("kind", [{}, dict(type="MultiDatasetEvaluator", datasets=[{}])])
def test_metrics_of_an_evaluator(kind):
    cfg = Config.fromfile(DEMO)
    cfg.val_evaluator = dict(kind, metrics=[cfg.val_evaluator])
    check_keys(cfg, SPLITS)
    with pytest.raises(ConfigError, match=r"val_evaluator\.sets of the config is read by nothing"):
        check_keys(Config(dict(cfg, val_evaluator=dict(cfg.val_evaluator, sets=[]))), SPLITS)
    cfg.val_evaluator.metrics[0].use_aera = False
    with pytest.raises(ConfigError, match=r"val_evaluator\.metrics\.0 may have use_area"):
        check_keys(cfg, SPLITS)


@pytest.mark.parametrize("times", [0, 1.5, "2"])
def test_a_set_is_repeated_a_whole_number_of_times(times):
    cfg = Config.fromfile(DEMO)
    repeated = dict(type="RepeatDataset", times=2, dataset=cfg.train_dataloader.dataset)
    cfg.train_dataloader.dataset = repeated
    check_keys(cfg, SPLITS)
    cfg.merge_from_dict({"train_dataloader.dataset.times": times})
    with pytest.raises(ConfigError, match=rf"dataset\.times of the config is {times!r}: it has to"):
        check_keys(cfg, SPLITS)


def test_an_optimizer_around_another_reads_what_it_will():
    cfg = Config.fromfile(DEMO)
    zero = dict(type="ZeroRedundancyOptimizer", optimizer_type="AdamW", lr=1e-3, weight_decay=0.01)
    cfg.optim_wrapper.optimizer = zero
    check_keys(cfg, SPLITS)


def test_a_length_may_be_a_float():
    cfg = Config.fromfile(DEMO)
    cfg.train_cfg.update(max_epochs=1e3, val_interval=1e1)
    check_keys(cfg, SPLITS)
    cfg.train_cfg = dict(by_epoch=False, max_iters=2e5)
    check_keys(cfg, SPLITS)


def test_a_hook_of_mmengine_may_be_none():
    cfg = Config.fromfile(DEMO)
    cfg.default_hooks.timer = None
    check_keys(cfg, SPLITS)


def test_only_what_is_used_is_checked():
    cfg = Config.fromfile(DEMO)
    cfg.merge_from_dict({"optim_wrapper.clip": 1, "val_dataloader.batchsize": 1})
    check_keys(cfg, ["test"])


@pytest.mark.parametrize("constructor", ["Mine", "LayerDecayOptimWrapperConstructor"])
def test_a_constructor_of_another_kind_reads_what_it_will(constructor):
    cfg = Config.fromfile(DEMO)
    cfg.optim_wrapper.update(constructor=constructor, paramwise_cfg=dict(num_layers=12))
    check_keys(cfg, SPLITS)


def default_hooks():
    """Return the names of the hooks that a runner has by itself."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Runner.register_default_hooks)))
    (made,) = (node.value for node in ast.walk(tree) if isinstance(node, ast.AnnAssign))
    return {keyword.arg for keyword in made.keywords}


def looked_up(source, name):
    """Return the keys that code looks up in a dict of this name."""
    keys = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(source)))):
        if isinstance(node, ast.Subscript):
            owner, given = node.value, [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, given = node.func.value, node.args[:1]
        else:
            continue
        if ast.unparse(owner).endswith(name):
            keys |= {key.value for key in given if isinstance(key, ast.Constant)}
    return keys


def test_the_lists_are_what_is_looked_up():
    ours, theirs = DyReLUOptimWrapperConstructor, DefaultOptimWrapperConstructor
    default = looked_up(theirs, "paramwise_cfg")
    assert default == CONSTRUCTORS[theirs.__name__]
    assert default | looked_up(ours, "paramwise_cfg") == CONSTRUCTORS[ours.__name__]
    assert looked_up(theirs, "custom_keys[key]") == CUSTOM
    assert default_hooks() == MMENGINES_HOOKS
    assert looked_up(Runner.setup_env, "env_cfg") == ENV
    assert looked_up(Runner.scale_lr, "auto_scale_lr") == AUTO_SCALE
