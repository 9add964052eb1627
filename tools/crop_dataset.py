"""Cut the persons of a config's data out of their images, for training that decodes less.

python tools/crop_dataset.py configs/coco_mini/mobilenetv2_128x96.py data/coco_mini_crops

Each crop holds all that the config's augmentation can read around a person, and no more; it suits
every config with the same data, input size and augmentation. The options to train with are printed
at the end.
"""

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from dyrelu_pose.config.arguments import add_cfg_options, at_least_one, finite
from dyrelu_pose.config.load import load_config
from dyrelu_pose.config.rehearsal import rehearse
from dyrelu_pose.datasets.picture_array import write_array
from dyrelu_pose.errors import user_errors
from dyrelu_pose.prepare.crops import SPLITS, Settings, annotation_file, read_source, write_crops
from dyrelu_pose.prepare.pool import progress


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", help="config whose data and augmentation the crops are for")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument(
        "--quality", type=int, default=Settings.quality, help="JPEG quality (%(default)s)"
    )
    parser.add_argument(
        "--oversample",
        type=finite,
        help="stored pixels per pixel of the input, along each axis "
        f"(the largest magnification of the augmentation, at least {Settings.oversample:g})",
    )
    parser.add_argument(
        "--workers",
        type=at_least_one,
        default=os.cpu_count(),
        help="processes (one per core: %(default)s)",
    )
    parser.add_argument(
        "--array",
        action="store_true",
        help="also decode the training crops into one array, for CropArrayDataset",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace the crops that are in this folder"
    )
    add_cfg_options(
        parser,
        "override entries of the config, such as train_dataloader.dataset.data_root=data/coco",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the crops and say how to train on them."""
    args = parse_args(argv)
    start = time.perf_counter()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get("default_scope", "mmpose"))
    train, val = (read_source(cfg, split) for split in SPLITS)
    for split in SPLITS:
        rehearse(cfg, split)
    oversample = args.oversample
    if oversample is None:
        oversample = max(Settings.oversample, train.zoom)
    settings = Settings(args.quality, oversample)
    skipped = write_crops(args.out, (train, val), settings, args.workers, args.force, progress)
    if args.array:
        print(write_array(annotation_file(args.out, "train"), args.out / "train", progress))
    if skipped is None:
        print(f"{args.out}: already there, nothing to do")
    else:
        summary = " + ".join(f"{count(args.out / split)} {split}" for split in SPLITS)
        print(f"{args.out}: {summary} crops in {time.perf_counter() - start:.0f} s")
        for reason, number in skipped.items():
            print(f"left out: {number} annotations {reason}")
    print(advice(cfg, args.out, args.array))


def count(folder: Path) -> int:
    """Return the number of files in a folder."""
    return sum(1 for _ in folder.iterdir())


def advice(cfg: Config, out: Path, array: bool) -> str:
    """Return which options make a config use the crops, or the array of them."""
    kind = ["train_dataloader.dataset.type=CropArrayDataset"] if array else []
    evaluator = f"val_evaluator.ann_file={annotation_file(out, 'val')}"
    return "\n".join(
        [
            "",
            "To train on the crops, give tools/train.py the config and",
            *lines(["--cfg-options", *changes(cfg, out, "train"), *kind]),
            "",
            "Validation stays on the whole images, so that its AP is that of the original set.",
            "To validate on the crops as well (each person alone, so this AP is another), add",
            *lines([*changes(cfg, out, "val"), evaluator]),
        ]
    )


def changes(cfg: Config, out: Path, split: str) -> list[str]:
    """Return the options by which a data loader reads the crops, as far as they are new."""
    key = f"{split}_dataloader.dataset"
    dataset = cfg[f"{split}_dataloader"].dataset
    options = [f"{key}.data_root={out}"]
    ann_file = str(annotation_file(out, split).relative_to(out))
    if dataset.ann_file != ann_file:
        options.append(f"{key}.ann_file={ann_file}")
    if Path(dataset.data_prefix["img"]) != Path(split):
        options.append(f"{key}.data_prefix.img={split}/")
    if dataset.get("bbox_file"):
        options.append(f"{key}.bbox_file=None")
    return options


def lines(options: Iterable[str]) -> list[str]:
    """Return options as lines of a shell command."""
    return ["    " + " \\\n    ".join(options)]


if __name__ == "__main__":
    with user_errors():
        main()
