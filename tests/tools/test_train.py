"""The command-line tools as real processes: train, test, kill and resume, and their refusals."""

import json
import re
import shutil

import pytest
import torch
from mmengine.config import Config

from dyrelu_pose.config.rehearsal import PICTURES
from dyrelu_pose.paths import ROOT
from tests.scripts import DEMO, load, run

pytestmark = pytest.mark.long


@pytest.fixture
def options(synthetic):
    """Options that make the demo config a run of seconds on the tiny set."""
    loaders = [f"{split}_dataloader" for split in ("train", "val", "test")]
    evaluators = [f"{split}_evaluator" for split in ("val", "test")]
    return [
        *(f"{loader}.dataset.data_root={synthetic}/" for loader in loaders),
        *(f"{loader}.num_workers=0" for loader in loaders),
        *(f"{loader}.persistent_workers=False" for loader in loaders),
        *(f"{evaluator}.ann_file={synthetic}/annotations/person_keypoints_val.json"
          for evaluator in evaluators),
        "train_dataloader.batch_size=8",
        "train_cfg.max_epochs=2",
        "train_cfg.val_interval=2",
        "default_hooks.checkpoint.interval=1",
        "default_hooks.logger.interval=1",
        "randomness.deterministic=True",
    ]  # fmt: skip


def train(work_dir, options, *flags, **kwargs):
    return run("tools/train.py", DEMO, "--work-dir", work_dir, *flags, "--cfg-options", *options,
               **kwargs)  # fmt: skip


def test_train_then_test(tmp_path, options):
    log = train(tmp_path, options)
    assert re.search(r"Epoch\(train\) +\[2\]", log)
    assert "coco/AP: " in log
    metrics, predictions = tmp_path / "metrics.json", tmp_path / "predictions.pkl"
    results = tmp_path / "results"
    log = run(
        "tools/test.py", DEMO, tmp_path / "epoch_2.pth", "--work-dir", tmp_path,
        "--out", metrics, "--dump", predictions,
        "--cfg-options", *options, f"test_evaluator.outfile_prefix={results}",
    )  # fmt: skip
    assert "are not in the checkpoint" not in log  # nothing started fresh
    values = json.loads(metrics.read_text())
    assert {"coco/AP", "coco/AP .5", "coco/AR (L)"} <= values.keys()
    assert values["origin"]["command"].startswith(f"python tools/test.py {DEMO} ")
    log_of_training = min(tmp_path.rglob("scalars.json"))
    in_training = json.loads(log_of_training.read_text().splitlines()[-1])
    assert in_training["coco/AP"] == pytest.approx(values["coco/AP"])
    assert predictions.stat().st_size > 0
    assert (tmp_path / "results.keypoints.json").exists()


def test_two_processes_train_by_torchrun(tmp_path, options):
    log = run(
        "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "tools/train.py",
        DEMO, "--launcher", "pytorch", "--work-dir", tmp_path, "--cfg-options", *options,
        "train_cfg.max_epochs=1", "train_cfg.val_interval=1",
        "optim_wrapper.constructor=DefaultOptimWrapperConstructor",
    )  # fmt: skip
    assert "coco/AP: " in log
    warning = r"WARNING - AdamW trains .* 22 DyReLU layers .*constructor='DyReLUOptimWrapperConst"
    assert len(re.findall(warning, log)) == 1  # by the main process


def test_relu_checkpoint_warm_starts_with_one_line(tmp_path, options, synthetic):
    from mmpose.registry import MODELS

    twin = MODELS.build(Config.fromfile(ROOT / "configs/demo/resnet18.py").model)
    torch.save({"state_dict": twin.state_dict()}, tmp_path / "relu.pth")
    log = run("tools/test.py", DEMO, tmp_path / "relu.pth", "--work-dir", tmp_path,
              "--cfg-options", *options)  # fmt: skip
    assert log.count("are not in the checkpoint and keep their start values") == 1
    assert "missing keys" not in log


def test_weights_that_do_not_fit_are_not_evaluated(tmp_path, options, checkpoint):
    weights = torch.load(checkpoint)["state_dict"]
    torch.save({f"net.{name}": tensor for name, tensor in weights.items()}, tmp_path / "net.pth")
    log = run("tools/test.py", DEMO, tmp_path / "net.pth", "--work-dir", tmp_path / "w",
              "--cfg-options", *options, expect=1)  # fmt: skip
    assert re.search(r"^error: checkpoint \S+net\.pth does not fit .*'net\.' fit: write", log, re.M)
    assert "Traceback" not in log
    assert "System environment" not in log  # said alone, before there is a runner
    assert not (tmp_path / "w").exists()


def test_the_config_of_a_resumed_training_evaluates_the_named_checkpoint(
    tmp_path, options, checkpoint
):
    (tmp_path / "last_checkpoint").write_text("gone.pth")
    run("tools/test.py", DEMO, checkpoint, "--work-dir", tmp_path,
        "--cfg-options", *options, "resume=True")  # fmt: skip


def test_a_dump_is_a_metric_beside_those_of_an_evaluator():
    nme = dict(type="NME", norm_mode="keypoint_distance")
    dump = dict(type="DumpResults", out_file_path="all.pkl")
    for evaluator in (nme, [nme], dict(metrics=nme), dict(type="Evaluator", metrics=[nme])):
        cfg = Config(dict(test_evaluator=evaluator))
        load("tools/test.py").dump_results(cfg, "all.pkl")
        assert cfg.test_evaluator == [nme, dump]


def test_list_sites_of_the_flagship(tmp_path):
    strip = tmp_path / "strip.png"
    table = run("tools/list_sites.py", "configs/dyrelu_hrnet.py", "--png", strip)
    assert strip.stat().st_size > 0
    assert "261 sites: 261 DyReLUB" in table
    assert [line.split()[-1] for line in table.splitlines() if line.startswith("head.")] == [
        "DyReLUC"
    ]


# Each breaks a run: the options that do, and the pattern of the one message that must follow.


def no_data(tmp_path, synthetic):
    return ["train_dataloader.dataset.data_root=/nowhere/"], "/nowhere/annotations/.*make demo"


def misspelt_rule(tmp_path, synthetic):
    return ["model.dyrelu.1.sites=haed.*"], r"rule 1: 'haed\.\*' matches none.*head\.\*"


def unknown_activation(tmp_path, synthetic):
    return ["model.dyrelu.0.act.type=DyReLUX"], r"no activation 'DyReLUX'.*DyReLU[ABC]"


def truncated_image(tmp_path, synthetic):
    for picture in (synthetic / "train").iterdir():
        folder = tmp_path / "train"
        folder.mkdir(exist_ok=True)
        data = picture.read_bytes()
        (folder / picture.name).write_bytes(data[: len(data) // 2])
    option = f"train_dataloader.dataset.data_prefix.img={folder}/"
    return [option], rf"image {folder}/\S+\.jpg (is truncated|cannot be decoded)"


def undecodable_image(tmp_path, synthetic):
    """Damage what lies between the first and the last bytes, in all but the first pictures."""
    shutil.copytree(synthetic / "train", tmp_path / "train")
    for picture in sorted((tmp_path / "train").iterdir())[PICTURES:]:
        data = picture.read_bytes()
        picture.write_bytes(data[:2] + bytes(len(data) - 4) + data[-2:])
    option = f"train_dataloader.dataset.data_prefix.img={tmp_path}/train/"
    return [option], rf"image {tmp_path}/train/\S+\.jpg cannot be decoded"


def no_persons(tmp_path, synthetic):
    path = synthetic / "annotations/person_keypoints_train.json"
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({**json.loads(path.read_text()), "annotations": []}))
    option = f"train_dataloader.dataset.ann_file={empty}"
    return [option], "annotation file .*empty.json has no persons"


def no_json(tmp_path, synthetic):
    (tmp_path / "broken.json").write_text("{")
    option = f"train_dataloader.dataset.ann_file={tmp_path}/broken.json"
    return [option], "broken.json is not valid JSON"


def corrupt_checkpoint(tmp_path, synthetic):
    (tmp_path / "corrupt.pth").write_bytes(b"PK\x03\x04 not a checkpoint")
    return [f"load_from={tmp_path}/corrupt.pth"], "checkpoint .*corrupt.pth cannot be read"


def missing_checkpoint(tmp_path, synthetic):
    return [f"load_from={tmp_path}/none.pth"], "none.pth  .load_from."


def diverging(tmp_path, synthetic):
    rate = ["optim_wrapper.optimizer.lr=1e30", "param_scheduler=None"]
    return rate, r"the loss of iteration [2-6] is \S+: .*The checkpoints in .*work are from before"


@pytest.mark.parametrize(
    "broken",
    [
        no_data,
        misspelt_rule,
        unknown_activation,
        truncated_image,
        undecodable_image,
        no_persons,
        no_json,
        corrupt_checkpoint,
        missing_checkpoint,
        diverging,
    ],
)
def test_refusal_is_one_clear_message(broken, tmp_path, synthetic, options):
    changes, message = broken(tmp_path, synthetic)
    log = train(tmp_path / "work", [*options, *changes], expect=1)
    error = log[log.rindex("error: ") :]
    assert re.search(message, error, re.DOTALL), error
    assert "Traceback" not in log


def test_parts_that_do_not_agree_are_refused_before_anything_is_written(tmp_path, options):
    changes = ["model.head.out_channels=4", "train_dataloader.batch_size=2"]
    log = train(tmp_path / "work", [*options, *changes], expect=1)
    assert "error: model.head.out_channels of the config is 4, and train_dataloader" in log
    assert "Traceback" not in log
    assert not (tmp_path / "work").exists()


def test_what_cannot_be_tested_is_refused_before_anything_is_written(
    tmp_path, synthetic, options, checkpoint
):
    other = f"{synthetic}/annotations/person_keypoints_train.json"
    log = run(
        "tools/test.py", DEMO, checkpoint, "--work-dir", tmp_path / "work",
        "--cfg-options", *options, f"test_evaluator.ann_file={other}", expect=1,
    )  # fmt: skip
    assert f"error: test_evaluator.ann_file of the config is {other}, and test_data" in log
    assert "Traceback" not in log
    assert not (tmp_path / "work").exists()


def test_refusal_from_a_loader_worker_is_as_clear(tmp_path, synthetic, options):
    changes, _ = undecodable_image(tmp_path, synthetic)
    workers = ["train_dataloader.num_workers=1", "train_dataloader.persistent_workers=True"]
    log = train(tmp_path / "work", [*options, *changes, *workers], expect=1)
    error = log[log.rindex("error: ") :]
    assert error.startswith("error: image ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "status", "message"),
    [
        ("train_datalaoder.batch_size=2", 1, "did you mean train_dataloader.batch_size"),
        ("data_root=elsewhere/", 1, r"elsewhere/train.*\(with what .* the options data_root\)"),
        ("train_cfg.max_epochs", 2, "train_cfg.max_epochs' is not KEY=VALUE"),
    ],
)
def test_options_that_cannot_be_followed_start_nothing(tmp_path, option, status, message):
    log = train(tmp_path / "work", [option], expect=status)
    error = log[log.rindex("error: ") :]
    assert re.search(message, error, re.DOTALL), error
    assert "Traceback" not in log
    assert not (tmp_path / "work").exists()


def test_missing_config_is_named():
    assert "config configs/no.py does not exist" in run("tools/train.py", "configs/no.py", expect=1)
