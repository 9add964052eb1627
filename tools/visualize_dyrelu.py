"""Show what the activations of a trained model do: figures, a table, and a page with all of them.

Without IMAGES it uses the persons of the config's validation set. For a model without DyReLU the
page shows the static functions to compare with.

python tools/visualize_dyrelu.py CONFIG CHECKPOINT [IMAGES...] --sites 'head.*'
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track

from dyrelu_pose.config.arguments import add_cfg_options, at_least_one
from dyrelu_pose.config.load import load_model_config
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.inspection import (
    choose_sites,
    collect,
    find_sites,
    load_trained,
    samples,
    write_report,
)
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.records.files import check_output_folder


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", help="config file, with or without DyReLU")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument(
        "images", type=Path, nargs="*", metavar="IMAGES",
        help="image files or folders; each picture as a whole (persons of the validation set)",
    )  # fmt: skip
    parser.add_argument(
        "--sites", nargs="+", metavar="PATTERN",
        help="sites to draw, as in a rule (six spread over the depth, and all in the head)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, help="folder to write to (inspection beside CHECKPOINT)"
    )
    parser.add_argument(
        "--num-images",
        type=at_least_one,
        default=64,
        help="largest number of images, evenly spaced (%(default)s)",
    )
    parser.add_argument(
        "--batch-size", type=at_least_one, default=32, help="images at a time (%(default)s)"
    )
    parser.add_argument(
        "--device", default="cuda:0" if torch.cuda.is_available() else "cpu",
        help="device to run the model on (%(default)s)",
    )  # fmt: skip
    add_cfg_options(parser, "override entries of the config")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the model on the images, write the report and say where it is."""
    args = parse_args(argv)
    beside = Path("work_dirs" if "://" in args.checkpoint else Path(args.checkpoint).parent)
    out = args.out or beside / "inspection"
    check_output_folder(out)
    cfg = load_model_config(args.config, args.cfg_options)
    model = load_trained(cfg, args.checkpoint, args.device)
    sites = find_sites(model, input_size_of(cfg))
    chosen = choose_sites(model, sites, args.sites)
    images = samples(cfg, args.images, args.num_images)
    if len(images) < 2:
        raise UserError(
            "1 image is not enough: what depends on the image shows only on two or more"
        )
    console = Console(stderr=True)

    def show(items: Iterable, what: str, total: int) -> Iterable:
        return track(items, what, total, console=console, transient=True)

    records, pictures = collect(
        model, sites, chosen, images, args.batch_size, lambda b, total: show(b, "images", total)
    )
    page = write_report(
        out, records, pictures, args.config, args.checkpoint,
        lambda sites: show(sites, "figures", len(sites)),
    )  # fmt: skip
    print(page)


if __name__ == "__main__":
    with user_errors():
        main()
