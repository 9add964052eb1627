"""Processes: those that fail, those that are stopped, and two that want the same run."""

import json
import os
import shutil
import signal
import sys
import threading
import time

import pytest
from mmengine.config import Config

from dyrelu_pose.ablation.runs import Run, commands, lock
from dyrelu_pose.ablation.schedule import run_all
from dyrelu_pose.errors import UserError

METRICS = {"coco/AP": 0.5, "coco/AP .5": 0.75, "coco/AP .75": 0.25, "coco/AR": 0.625}


@pytest.fixture
def run_of(tmp_path):
    def make(cell, seed=0, **entries):
        cfg = Config(dict(train_cfg=dict(max_epochs=2), **entries))
        return Run(cell, seed, cfg, tmp_path / "work", tmp_path / "out")

    return make


def python(code):
    return [sys.executable, "-c", code]


def ended(runs, todo, slots=None, **kwargs):
    """Run all, and return what went wrong by cell."""
    problems = {}
    run_all(runs, todo, slots or [{}], lambda run, why: problems.update({run.cell: why}), **kwargs)
    return problems


def test_one_that_fails_does_not_stop_the_rest(run_of):
    codes = dict(a="print('fine')", b="print('oh no'); raise SystemExit(3)", c="pass")
    runs = [run_of(name) for name in codes]
    problems = ended(runs, lambda run: iter([python(codes[run.cell])]))
    assert problems == dict(a="", b="exit status 3", c="")
    assert runs[1].tail() == "oh no"
    assert runs[1].config.exists()


def test_steps_follow_one_another_until_one_fails(run_of):
    run = run_of("a")
    steps = [python("print(1)"), python("print(2); raise SystemExit(1)"), python("print(3)")]
    assert ended([run], lambda run: iter(steps)) == dict(a="exit status 1")
    assert run.tail() == "1\n2"


def test_slots_run_side_by_side_with_their_own_environment(run_of):
    # Each waits for the other's file: one after the other, neither would end well.
    code = """
import os, pathlib, time
mine = os.environ["SLOT"]
pathlib.Path(mine).touch()
end = time.monotonic() + 60
while not pathlib.Path({"1": "2", "2": "1"}[mine]).exists():
    assert time.monotonic() < end
    time.sleep(0.01)
"""
    runs = [run_of("a"), run_of("b")]
    prefix = f"import os; os.chdir({str(runs[0].work_dir)!r})\n"
    slots = [dict(SLOT="1"), dict(SLOT="2")]
    assert ended(runs, lambda run: iter([python(prefix + code)]), slots) == dict(a="", b="")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_processes_and_keeps_what_is_done(run_of, number):
    runs = [run_of("a"), run_of("b"), run_of("c")]
    # b and its child, which would outlive it, say who they are and sleep.
    sleep = "import os, subprocess, sys, time; print(os.getpid(), flush=True); "
    sleep += "subprocess.run([sys.executable, '-c', "
    sleep += "'import os, time; print(os.getpid(), flush=True); time.sleep(600)'])"
    problems = {}

    def interrupt(going):
        if any(run.cell == "b" for run in going) and len(runs[1].tail().splitlines()) == 2:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        run_all(
            runs, lambda run: iter([python(sleep if run.cell == "b" else "pass")]), [{}],
            lambda run, problem: problems.update({run.cell: problem}), interrupt,
        )  # fmt: skip
    assert problems == dict(a="")
    assert runs[1].spent() > 0
    assert not runs[2].log.exists()
    for process in map(int, runs[1].tail().splitlines()):
        assert ends(process)
    lock(runs[1]).close()  # it is free again


def ends(process):
    """Whether a process is gone, or is left to its parent to be collected."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with open(f"/proc/{process}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_a_run_belongs_to_one_process(run_of):
    run = run_of("a")
    with lock(run):
        with pytest.raises(UserError, match=f"a, seed 0 is being run by process {os.getpid()} on"):
            ended([run_of("b"), run_of("a")], lambda run: iter([python("pass")]))
        assert not run_of("b").log.exists()  # nothing was started
    assert ended([run], lambda run: iter([python("pass")])) == dict(a="")


def test_a_run_that_another_process_finished_is_left_out(run_of):
    run = run_of("a")
    run.keep(dict(AP=1))
    assert ended([run], lambda run: pytest.fail("it ran again")) == {}


def test_a_changed_config_is_another_run(run_of):
    run = run_of("a")
    run.keep(dict(AP=1))
    assert run_of("a").record()["AP"] == 1
    changed = run_of("a", epochs=3)
    assert changed.record() is None
    assert changed.folder != run.folder


def test_records_beside_the_results_outlive_the_work_directory(run_of, tmp_path):
    run = run_of("a", seed=3)
    write_scalars(run, '{"loss": 1.25, "epoch": 1, "step": 9}', validated(1))
    assert run.pace() == {}
    run.keep(dict(AP=1))
    shutil.rmtree(tmp_path / "work")
    record = run_of("a", seed=3).record()
    assert (record["AP"], record["curve"]) == (1, dict(loss=[[1.0, 1.25]], ap=[[1, 0.5]], nll=[]))
    assert run_of("a", seed=3, epochs=3).record() is None


def write_scalars(run, *lines, start="20260101_000000"):
    path = run.folder / start / "vis_data/scalars.json"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))


def test_curve_has_the_likelihood_and_the_run_its_pace(run_of):
    run = run_of("a")
    trained = (
        dict(loss=1, epoch=epoch, step=step, time=seconds)
        for epoch, step, seconds in ((1, 5, 9), (1, 10, 3), (2, 20, 2))
    )
    validation = {"heatmap/NLL": 4.5, "coco/AP": 0.5, "step": 2}
    write_scalars(run, *map(json.dumps, [*trained, validation]))
    run.keep({})
    assert run.record()["curve"]["nll"] == [[2, 4.5]]
    assert run.pace() == dict(step_seconds=3, epoch_minutes=0.5)


def validated(step):
    return str({**METRICS, "step": step}).replace("'", '"')


def test_metrics_are_those_after_the_last_epoch(run_of):
    run = run_of("a")
    write_scalars(run, validated(1), '{"loss": 1.0, "epoch": 2, "step": 9}', '{"loss": 1.')
    assert run.metrics() is None
    assert run.progress() == 0.5
    write_scalars(run, validated(2), start="20260101_000001")
    assert run.metrics() == dict(AP=0.5, AP50=0.75, AP75=0.25, AR=0.625)


def test_a_damaged_log_is_an_error(run_of):
    run = run_of("a")
    write_scalars(run, validated(1), '{"loss": 1.', validated(2))
    for read in (run.metrics, run.progress, run.pace):
        with pytest.raises(UserError, match="seed.*scalars.json, line 2: not JSON"):
            read()


def test_another_evaluator_is_an_error(run_of):
    run = run_of("a")
    write_scalars(run, '{"pck/AP": 0.5, "step": 2}')
    with pytest.raises(UserError, match="reports no 'AP .5' but AP"):
        run.metrics()


def test_training_resumes_and_a_missing_evaluation_is_made_up_for(run_of, tmp_path):
    run = run_of("a")
    run.prepare()
    first, *rest = commands(run, tmp_path)
    assert first[1:] == [str(tmp_path / "train.py"), str(run.config), "--work-dir", str(run.folder)]
    assert rest == []
    (run.folder / "last_checkpoint").write_text("epoch_2.pth")
    train, test = commands(run, tmp_path, ["--cuda-graph"])
    assert train[-2:] == ["--cuda-graph", "--resume"]
    assert test[1:4] == [str(tmp_path / "test.py"), str(run.config), "epoch_2.pth"]
    write_scalars(run, validated(2))
    assert len(list(commands(run, tmp_path))) == 1


def test_seconds_add_up_over_restarts(run_of):
    run = run_of("a")
    run.folder.mkdir(parents=True)
    run.spend(1.5)
    run.spend(2.0)
    assert run.spent() == 3.5


def test_signals_are_given_back(run_of):
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    ended([run_of("a")], lambda run: iter([python("pass")]))
    assert signal.getsignal(signal.SIGTERM) == before
