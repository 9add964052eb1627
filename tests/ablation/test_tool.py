"""`tools/ablate.py` as a user runs it, on drawn people; and with commands of seconds."""

import csv
import json
import shutil

import pytest
import torch

from dyrelu_pose.ablation.grid import load_grid
from dyrelu_pose.ablation.results import recorded_rows
from dyrelu_pose.ablation.table import format_record
from dyrelu_pose.errors import UserError
from dyrelu_pose.paths import ROOT
from tests import scripts

pytestmark = pytest.mark.long

TINY = "configs/ablations/tiny.py"


def run(*command, **kwargs):
    return " ".join(scripts.run(*command, **kwargs).split())  # the console breaks lines


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    run("tools/make_synthetic_coco.py", folder, "--train", 12, "--val", 4, "--workers", 1)
    return [
        f"train_dataloader.dataset.data_root={folder}/",
        f"val_dataloader.dataset.data_root={folder}/",
        f"val_evaluator.ann_file={folder}/annotations/person_keypoints_val.json",
    ]


def ablate(tmp_path, data, *flags, **kwargs):
    return run(
        "tools/ablate.py", TINY, "--work-dir", tmp_path / "work", "--out", tmp_path / "out",
        *flags, "--cfg-options", *data, **kwargs,
    )  # fmt: skip


def read(tmp_path):
    with (tmp_path / "out/runs.csv").open() as file:
        return list(csv.DictReader(file))


def test_tiny_grid_from_end_to_end(tmp_path, data):
    plan = ablate(tmp_path, data, "--dry-run")
    assert "5 DyReLUC" in plan
    assert "from a few iterations of relu on this machine" in plan
    assert not (tmp_path / "work").exists()

    printed = ablate(tmp_path, data, "--cells", "relu")
    assert "1 runs, 0 finished before" in printed
    assert "| dyrelu | not run |" in printed
    (first,) = read(tmp_path)

    printed = ablate(tmp_path, data)  # goes on
    assert "2 runs, 1 finished before" in printed
    relu, dyrelu = read(tmp_path)
    assert relu == first  # not run again
    assert (dyrelu["cell"], dyrelu["status"], dyrelu["data"]) == ("dyrelu", "finished", "synthetic")
    assert 0 <= float(dyrelu["AP"]) <= 1
    assert int(dyrelu["params"]) > int(relu["params"])
    assert "synthetic AP" in (tmp_path / "out/table.md").read_text()
    assert (tmp_path / "out/chart.png").stat().st_size > 0
    (folder,) = (tmp_path / "work/dyrelu").iterdir()
    assert "DyReLUPoseEstimator" in (folder / "config.py").read_text()
    assert "from the mean of the 2 finished runs" in ablate(tmp_path, data, "--dry-run")


def test_missing_data_are_named_before_anything_runs(tmp_path):
    missing = ["val_dataloader.dataset.data_root=/nowhere/"]
    assert "error: the config needs files" in ablate(tmp_path, missing, expect=1)
    assert not list((tmp_path / "work").rglob("output.txt"))


def test_parts_that_do_not_agree_are_named_before_anything_runs(tmp_path, data):
    option = "default_hooks.checkpoint.save_best=coco/mAP"
    printed = ablate(tmp_path, [*data, option], expect=1)
    assert "error: default_hooks.checkpoint.save_best of the config is coco/mAP, and" in printed
    assert not list((tmp_path / "work").rglob("output.txt"))


@pytest.fixture(scope="module")
def tool():
    return scripts.load("tools/ablate.py")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--cells", "x*"], r"--cells x\*: no such cell; there are relu, dyrelu"),
        (["--gpus", "99"], "--gpus 99: this machine has"),
        (["--base", "configs/none.py"], "cell relu: config configs/none.py does not exist"),
        (["--base", "configs"], "cell relu: config configs is a folder, not a file"),
        (["--cfg-options", "trian_cfg.max_epochs=1"], "cell relu: option trian_cfg.max_epochs"),
        (["--cfg-options", "model.backbone.depth=19"], "cell relu: .*19"),
    ],
)
def test_refusals(tool, tmp_path, flags, message):
    with pytest.raises(UserError, match=message):
        tool.main([str(ROOT / TINY), "--work-dir", str(tmp_path / "work"), *flags])
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(("count", "found"), [(0, None), (1, ["0", "0"])])
def test_several_runs_share_a_gpu(tool, monkeypatch, count, found):
    monkeypatch.setattr(tool.torch.cuda, "device_count", lambda: count)
    args = tool.parse_args([TINY, "--gpus", "0", "0"])
    if found is None:
        with pytest.raises(UserError, match="--gpus 0: this machine has 0 GPUs"):
            tool.slots_of(args)
    else:
        assert [slot["CUDA_VISIBLE_DEVICES"] for slot in tool.slots_of(args)] == found


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_graphs_without_a_gpu_are_refused_before_anything_runs(tool, tmp_path):
    with pytest.raises(UserError, match="--cuda-graph"):
        tool.main([TINY, "--cuda-graph", "--work-dir", str(tmp_path / "work")])
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--gpus", "0", "--jobs", "2"], "leave --jobs out"),
        (["--jobs", "0"], "argument --jobs: 0 is not a whole number of at least 1"),
        (["--seeds", "0", "-1"], "argument --seeds: -1 is not a whole number of at least 0"),
    ],
)
def test_usage(tool, capsys, flags, message):
    with pytest.raises(SystemExit):
        tool.main([TINY, *flags])
    assert message in capsys.readouterr().err


# A stand-in for training: the cell "relu" succeeds, "dyrelu" fails, or sends Ctrl-C to the tool.
FAKE = """
import json, os, signal, sys
sys.argv = ["tools/ablate.py", *sys.argv[1:]]
sys.path.insert(0, "TOOLS")
import ablate

METRICS = {"coco/AP": 0.5, "coco/AP .5": 0.7, "coco/AP .75": 0.2, "coco/AR": 0.6}
ablate.check_run = lambda cfg, splits, contents: None

def commands(run):
    code = "import json, pathlib; pathlib.Path('PATH').write_text(json.dumps(METRICS))"
    code = code.replace("PATH", str(run.folder / "metrics.json")).replace("METRICS", repr(METRICS))
    if run.cell == "dyrelu":
        code = CODE or code
    yield [sys.executable, "-c", code]

sys.exit(ablate.main(None, commands))
"""
CRASH = "print('out of memory'); raise SystemExit(9)"


def fake(tmp_path, code, *flags, **kwargs):
    script = FAKE.replace("CODE", code).replace("TOOLS", str(ROOT / "tools"))
    (tmp_path / "fake.py").write_text(script)
    where = ["--work-dir", tmp_path / "work", "--out", tmp_path / "out"]
    return run(tmp_path / "fake.py", ROOT / TINY, *where, *flags, **kwargs)


def test_the_record_is_told_beside_other_results(tmp_path):
    fake(tmp_path, "None", "--seeds", 0, 1)
    rows = recorded_rows(tmp_path / "out")
    assert [(row["cell"], row["seed"]) for row in rows] == [
        (cell, seed) for cell in ("dyrelu", "relu") for seed in (0, 1)
    ]
    told = format_record(load_grid(ROOT / TINY), rows)
    assert told == "recorded: dyrelu +0.0 synthetic AP over relu, 2 seeds"

    shutil.copytree(tmp_path / "out", tmp_path / "results/ablations/tiny")
    again = fake(tmp_path, "None", "--seeds", 2, cwd=tmp_path)
    assert again.endswith(f"{told} in {tmp_path / 'out'}")


def test_a_crash_is_reported_and_the_rest_goes_on(tmp_path):
    printed = fake(tmp_path, repr(CRASH), "--seeds", 1, 0, expect=1)
    assert "failed dyrelu, seed 1: exit status 9" in printed
    assert "out of memory" in printed
    assert [(r["cell"], r["seed"], r["status"]) for r in read(tmp_path)] == [
        ("relu", "0", "finished"), ("relu", "1", "finished"),
        ("dyrelu", "0", "failed"), ("dyrelu", "1", "failed"),
    ]  # fmt: skip
    printed = fake(tmp_path, "None")  # seed 0: the finished run stays, the failed one is redone
    assert "2 runs, 1 finished before" in printed
    assert [(r["cell"], r["seed"], r["status"]) for r in read(tmp_path)] == [
        ("relu", "0", "finished"), ("relu", "1", "finished"), ("dyrelu", "0", "finished"),
    ]  # fmt: skip
    shutil.rmtree(tmp_path / "work")  # as in a new clone that has the results
    assert "4 runs, 3 finished before" in fake(tmp_path, "None", "--seeds", 0, 1)
    assert len(list((tmp_path / "out/configs").iterdir())) == 2


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path):
    code = "'import os, signal, time; os.kill(%d, signal.SIGINT); time.sleep(600)' % os.getpid()"
    printed = fake(tmp_path, code, expect=130)
    assert "stopped; 1 runs are left. To go on: python tools/ablate.py" in printed
    assert [r["cell"] for r in read(tmp_path)] == ["relu"]
    record = json.loads(next((tmp_path / "work").rglob("record.json")).read_text())
    assert record["AP"] == 0.5
    assert record["status"] == "finished"
    assert "2 runs, 1 finished before" in fake(tmp_path, repr("raise SystemExit(1)"), expect=1)
