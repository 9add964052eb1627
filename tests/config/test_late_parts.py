"""What MMEngine builds when its folder is there is tried before that."""

import re
import warnings

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.config.known_keys import check_keys
from dyrelu_pose.config.late_parts import check_late_parts
from tests.test_configs import CONFIGS, ROOT

SPLITS = ("train", "val", "test")
DEMO = "configs/demo/dyrelu_resnet18.py"


def changed(key, value):
    cfg = Config.fromfile(DEMO)
    cfg.merge_from_dict({key: value})
    return cfg


@pytest.mark.parametrize("name", CONFIGS)
def test_what_ships_passes(name, capsys):
    check_late_parts(Config.fromfile(ROOT / name), SPLITS)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("randomness.seed", "a", "is 'a': it has to be a whole number below 2^32"),
        ("randomness.seed", -1, "is -1: it has to be a whole number below 2^32"),
        ("log_level", "LOUD", "log_level of the config is 'LOUD': it has to be INFO, WARNING"),
        ("env_cfg.mp_cfg.mp_start_method", "forks", "is 'forks': on this machine it has to be f"),
        ("default_hooks.logger.interval", 0, "default_hooks.logger of the config cannot be built"),
        ("custom_hooks", [dict(type="EMAHook", begin_iter=-1)], "custom_hooks.0 of the config can"),
        ("custom_hooks", [dict(type="EMAHook", momentum=2)], "custom_hooks.0 of the config cannot "
         "be built: AssertionError: momentum must be in range"),
        ("custom_hooks", [dict(type="EMAHook", begin_epoch=99)], "custom_hooks.0.begin_epoch of "
         "the config is 99, and train_cfg.max_epochs is "),
        ("log_processor", dict(by_epoch=False, custom_cfg=[dict(window_size="epoch")]),
         "log_processor of the config cannot be built: AssertionError"),
        ("custom_hooks", [dict(type="EMAHook", priority="HIGHER")], "custom_hooks.0.priority of "
         "the config is 'HIGHER': it has to be a whole number from 0, the first, to 100, or HIGHE"),
        ("default_hooks.timer.priority", 200, "default_hooks.timer.priority of the config is 200:"),
        ("default_hooks.timer.priority", 1.5, "default_hooks.timer.priority of the config is 1.5"),
        *[("train_cfg.dynamic_intervals", value, f"dynamic_intervals of the config is {value!r}: ")
          for value in ([1, 1], [[2, 1]], [(2, 0)], [(2, 1, 1)], [(4, 1), (2, 2)], (2, 1))],
        ("val_dataloader.timeout", -1, "val_dataloader of the config cannot be built: ValueError"),
    ],
)  # fmt: skip
def test_the_key_is_named(key, value, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        check_late_parts(changed(key, value), SPLITS)


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("default_hooks.checkpoint.out_dir", "a file/checkpoints"),
        ("val_evaluator.outfile_prefix", "a file/val"),
    ],
)
def test_what_is_written_later_has_a_place(key, place, tmp_path):
    (tmp_path / "a file").touch()
    with pytest.raises(ConfigError, match=f"^{key} of the config: .*/a file is a file; name ano"):
        check_late_parts(changed(key, str(tmp_path / place)), SPLITS)
    check_late_parts(changed(key, str(tmp_path / "new/place")), SPLITS)
    check_late_parts(changed(key, "s3://bucket/place"), SPLITS)
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


def test_an_opencv_without_windows_is_named(monkeypatch):
    cfg = changed("default_hooks.visualization", dict(enable=True, show=True))
    monkeypatch.setattr("cv2.currentUIFramework", lambda: "GTK3")
    check_late_parts(cfg, SPLITS)
    monkeypatch.setattr("cv2.currentUIFramework", lambda: "")
    with pytest.raises(ConfigError, match=r"default_hooks.visualization.show of the config is Tr"):
        check_late_parts(cfg, SPLITS)
    cfg.default_hooks.visualization.enable = False
    check_late_parts(cfg, SPLITS)


@pytest.mark.parametrize("priority", [0, 100, "VERY_LOW", "low"])
def test_a_priority_is_a_number_or_a_name(priority):
    check_late_parts(changed("default_hooks.timer.priority", priority), SPLITS)


@pytest.mark.parametrize("intervals", [None, [], [(2, 1)], [(2, 5), (4, 1)]])
def test_intervals_that_follow_each_other_pass(intervals):
    check_late_parts(changed("train_cfg.dynamic_intervals", intervals), SPLITS)


@pytest.mark.parametrize("level", [20, "DEBUG"])
def test_a_level_may_be_a_number(level):
    check_late_parts(changed("log_level", level), SPLITS)


def test_more_workers_than_cores_are_for_the_runner_to_warn_of():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "This DataLoader will create")
        check_late_parts(changed("train_dataloader.num_workers", 10_000), SPLITS)


@pytest.mark.parametrize("split", SPLITS)
def test_an_epoch_without_an_end(split):
    key = f"{split}_dataloader.sampler"
    cfg = changed(key, dict(type="InfiniteSampler", shuffle=True))
    with pytest.raises(ConfigError, match=rf"^{key} of the config is InfiniteSampler, which neve"):
        check_late_parts(cfg, SPLITS)
    cfg.train_cfg = dict(type="IterBasedTrainLoop", max_iters=3)
    if split == "train":
        check_late_parts(cfg, SPLITS)


@pytest.mark.parametrize("option", [dict(prefetch_factor=2), dict(persistent_workers=True)])
def test_options_of_workers_that_there_are_none_of(option):
    cfg = changed("train_dataloader", dict(num_workers=0, persistent_workers=False) | option)
    with pytest.raises(ConfigError, match="^train_dataloader of the config cannot be built: Value"):
        check_late_parts(cfg, SPLITS)
    cfg.train_dataloader.num_workers = 1
    check_late_parts(cfg, SPLITS)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("visualizer.vis_backends", [dict(type="LocalVisBackends")], "did you mean LocalVisBack"),
        ("train_dataloader.collate_fn", dict(type="collate"), "'collate': there is no such func"),
        ("train_dataloader.worker_init_fn", dict(type="no"), "'no': there is no such function"),
        ("train_cfg.val_begin", "end", "is 'end': it has to be a whole number from 0"),
        ("optim_wrapper.accumulative_counts", 0, "is 0: it has to be a whole number from 1"),
    ],
)
def test_classes_and_counts_of_late_parts_are_checked_with_the_keys(key, value, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        check_keys(changed(key, value), SPLITS)


def test_hooks_of_a_user_are_left_to_the_runner():
    @HOOKS.register_module(name="Own")
    class Own(Hook):
        def __init__(self):
            raise ValueError

    try:
        check_late_parts(changed("custom_hooks", [dict(type="Own")]), SPLITS)
    finally:
        HOOKS.module_dict.pop("Own")
