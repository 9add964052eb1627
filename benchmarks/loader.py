"""Images per second of a config's training loader: whole images, crops, and an array of crops.

    python tools/crop_dataset.py CONFIG CROPS --array
    python benchmarks/loader.py CONFIG CROPS --out results/bench/loader.json

The loaders run in one process on one thread, in turns, over the same persons with the same
augmentation. No time is written unless the samples agree. The files are read beforehand, and the
clock is the processor's: neither the disk nor other processes count.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from rich.progress import Progress, track
from torch.utils.data import DataLoader

from dyrelu_pose.complexity.timing import time_in_turns
from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.config.load import load_config
from dyrelu_pose.datasets.picture_array import array_file
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.prepare.crops import SPLITS, annotation_file
from dyrelu_pose.prepare.crops.agreement import Agreement, build_set, compare
from dyrelu_pose.prepare.folder import META
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

LIMIT = 1.0  # pixels of the input by which keypoints may differ
SEED = 0


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", help="config whose training loader is timed")
    parser.add_argument("crops", type=Path, help="what tools/crop_dataset.py wrote for it")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument(
        "--batches", type=at_least_one, default=40, help="batches per run (%(default)s)"
    )
    parser.add_argument(
        "--repeats", type=at_least_one, default=9, help="runs of each (%(default)s)"
    )
    return parser.parse_args()


def main() -> None:
    """Compare the samples, time the loaders, and write both down."""
    args = parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)  # as MMPose's runtime does
    cfg = load_config(args.config)
    init_default_scope(cfg.get("default_scope", "mmpose"))
    crops = on_crops(cfg, args.crops, "train")
    configs = dict(original=cfg, crops=crops, array=on_array(crops))
    agreement = {
        split: agreement_of(on_crops(cfg, args.crops, split), cfg, split) for split in SPLITS
    }
    agreement["array"] = agreement_of(configs["array"], cfg, "train")
    for split, found in agreement.items():
        print(f"{split}: {found}")
        if found.keypoints_max > LIMIT:
            raise UserError(f"{split}: keypoints differ by {found.keypoints_max:.2f} pixels")
    rates = images_per_second({name: loader(cfg) for name, cfg in configs.items()}, args)
    record = dict(
        name="loader",
        config=args.config,
        crops=json.loads((args.crops / META).read_bytes())["parameters"],
        agreement={split: rounded(asdict(found)) for split, found in agreement.items()},
        images_per_second={name: summary(found) for name, found in rates.items()},
        ratio={
            name: round(float(np.median(rates[name]) / np.median(rates["original"])), 2)
            for name in ("crops", "array")
        },
        train_megabytes={name: megabytes(cfg) for name, cfg in configs.items()},
        batch_size=cfg.train_dataloader.batch_size,
        batches=args.batches,
        repeats=args.repeats,
        seed=SEED,
        **origin("opencv-python-headless"),
    )
    write_json(args.out, record)
    print(json.dumps({key: record[key] for key in ("images_per_second", "ratio")}, indent=1))
    print(args.out)


def on_crops(cfg: Config, crops: Path, split: str) -> Config:
    """Return the config with a split's data loader reading the crops."""
    cfg = Config(cfg.to_dict())
    cfg[f"{split}_dataloader"].dataset.update(
        data_root=str(crops),
        ann_file=str(annotation_file(crops, split).relative_to(crops)),
        data_prefix=dict(img=f"{split}/"),
        bbox_file=None,
    )
    return cfg


def on_array(crops: Config) -> Config:
    """Return a config of crops with its training loader reading their array."""
    cfg = Config(crops.to_dict())
    cfg.train_dataloader.dataset.type = "CropArrayDataset"
    return cfg


def agreement_of(ours: Config, theirs: Config, split: str) -> Agreement:
    """Compare all samples of a split; this reads every file once."""
    sets = [build_set(cfg[f"{split}_dataloader"].dataset, bbox_file=None) for cfg in (ours, theirs)]
    return compare(*sets, track(range(len(sets[0])), f"{split} samples"), SEED)


def loader(cfg: Config) -> DataLoader:
    """Return the training loader of a config, working in this process."""
    changes = dict(num_workers=0, persistent_workers=False)
    return Runner.build_dataloader(dict(cfg.train_dataloader, **changes), seed=SEED)


def images_per_second(
    loaders: dict[str, DataLoader], args: argparse.Namespace
) -> dict[str, list[float]]:
    """Return the images per second of processor time of each run of each loader."""
    calls = {name: reading(batches, args.batches) for name, batches in loaders.items()}
    images = {name: call() for name, call in calls.items()}
    with Progress() as progress:
        task = progress.add_task("timing", total=args.repeats)
        seconds = time_in_turns(
            calls, args.repeats, SEED, lambda: progress.advance(task), time.process_time
        )
    return {name: [images[name] / run for run in found] for name, found in seconds.items()}


def reading(batches: DataLoader, number: int) -> Callable[[], int]:
    """Return a call that reads as many batches of the next epoch and counts their images."""
    epochs = count()

    def call() -> int:
        epoch = next(epochs)
        batches.sampler.set_epoch(epoch)
        np.random.seed(epoch)
        return sum(len(batch["inputs"]) for batch in islice(batches, number))

    return call


def summary(rates: Sequence[float]) -> dict[str, float]:
    """Return the median and the 20th and 80th percentile."""
    p20, median, p80 = np.percentile(rates, (20, 50, 80)).round(1).tolist()
    return dict(median=median, p20=p20, p80=p80)


def megabytes(cfg: Config) -> float:
    """Return the size of a config's training images, 10^6 bytes."""
    dataset = cfg.train_dataloader.dataset
    root = Path(dataset.data_root)
    images = (root / dataset.data_prefix["img"]).iterdir()
    if dataset.type == "CropArrayDataset":
        images = [array_file(root / dataset.ann_file, root / dataset.data_prefix["img"])]
    return round(sum(path.stat().st_size for path in images) / 1e6, 1)


def rounded(values: dict) -> dict:
    """Round numbers for the file, to three figures."""
    return {name: float(f"{value:.3g}") if name != "samples" else value
            for name, value in values.items()}  # fmt: skip


if __name__ == "__main__":
    with user_errors():
        main()
