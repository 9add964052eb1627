"""What the check for a loss that is not finite costs in a training step.

    python benchmarks/safeguards.py --out results/bench/safeguards.json

Trains the model of configs/demo/, so small that a check weighs much, on drawn people. The check
stands between the loss and the optimizer's update: its time is that of the update with it less
that of the update alone, in every step of one training.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.config.load import load_config
from dyrelu_pose.engine import add_safeguards
from dyrelu_pose.prepare.people.write import Parameters, make_dataset
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

CONFIG = "configs/demo/dyrelu_resnet18.py"
WARMUP = 10  # steps
SEED = 0


def main() -> None:
    """Train, and write down what the check took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument(
        "--steps", type=at_least_one, default=100, help="training steps (%(default)s)"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder, "people")
        make_dataset(people, Parameters(train=32, val=2, seed=SEED))
        cfg = training(people, Path(folder, "work"), args.steps)
        add_safeguards(cfg)
        runner = Runner.from_cfg(cfg)
        alone, whole, steps = UpdateClock(), UpdateClock(), StepClock()
        runner.register_hook(alone, "LOW")  # inside the check, whose hook is VERY_LOW
        runner.register_hook(whole, "LOWEST")
        runner.register_hook(steps, "HIGHEST")
        runner.train()
    check = [a - b for a, b in zip(whole.seconds, alone.seconds, strict=True)][WARMUP:]
    microseconds = 1e6 * statistics.median(check)
    milliseconds = 1e3 * statistics.median(steps.seconds[WARMUP:])
    record = dict(
        name="safeguards",
        config=CONFIG,
        batch_size=cfg.train_dataloader.batch_size,
        steps=len(check),
        check_microseconds=round(microseconds, 1),
        step_milliseconds=round(milliseconds, 2),
        percent=round(microseconds / milliseconds / 10, 4),
        seed=SEED,
        **origin(),
    )
    write_json(args.out, record)
    print(json.dumps(record, indent=1))


def training(people: Path, work_dir: Path, steps: int) -> Config:
    """Return the demo's training on the people, without validation and checkpoints."""
    cfg = load_config(CONFIG)
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.data_root = f"{people}/"
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint = None
    cfg.train_cfg = dict(type="IterBasedTrainLoop", max_iters=steps + WARMUP)
    cfg.param_scheduler = None
    cfg.work_dir, cfg.log_level = str(work_dir), "ERROR"
    return cfg


class UpdateClock(Hook):
    """Times the optimizer's update as it is when this hook is called."""

    def before_train(self, runner: Runner) -> None:
        """Put the clock around it."""
        self.seconds = []
        update = runner.optim_wrapper.update_params

        def timed(*args, **kwargs) -> None:
            start = time.perf_counter()
            update(*args, **kwargs)
            self.seconds.append(time.perf_counter() - start)

        runner.optim_wrapper.update_params = timed


class StepClock(Hook):
    """Times whole steps, from the data of one to the data of the next."""

    def before_train(self, runner: Runner) -> None:
        """Start."""
        self.seconds, self._last = [], time.perf_counter()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict) -> None:
        """Write down the step that has ended."""
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now


if __name__ == "__main__":
    main()
