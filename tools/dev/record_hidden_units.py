"""Count the hidden units of the hyper functions that are alive, by part of a trained model.

    DYRELU_DATA=/path/to/data python tools/dev/record_hidden_units.py \
        configs/coco_mini/dyrelu_mobilenetv2-multiscale_128x96.py \
        checkpoints/dyrelu_mobilenetv2-multiscale_128x96.pth 'published model (B, C; R 32)'

A unit is alive if it is above 0 on any of some persons of the validation set. Backbone and head
have a row each in results/coco_mini/hidden_units.csv; rows of other models stay there.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.config.load import load_config
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.inspection import (
    SiteRecord,
    collect,
    find_sites,
    load_trained,
    samples,
    statistics,
)
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.records.files import read_csv, write_csv
from dyrelu_pose.records.origin import origin

OUT = Path("results/coco_mini/hidden_units.csv")
PARTS = ("backbone", "neck", "head")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", help="config of the model")
    parser.add_argument("checkpoint", help="its weights")
    parser.add_argument("name", help="what the table calls it")
    parser.add_argument(
        "--num-images", type=at_least_one, default=64, help="persons, evenly spread (%(default)s)"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="CSV file (%(default)s)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the model, count, and write the rows."""
    args = parse_args(argv)
    cfg = load_config(args.config)
    model = load_trained(cfg, args.checkpoint)
    sites = find_sites(model, input_size_of(cfg))
    records, pictures = collect(model, sites, (), samples(cfg, (), args.num_images))
    counts = [count(part, records) for part in PARTS]
    if not any(counts):
        raise UserError(f"{args.config} has no DyReLU, whose hidden units could be counted")
    about = dict(model=args.name, seed=cfg.randomness.seed)
    source = dict(images=len(pictures), **origin())
    kept = [row for row in read_csv(args.out) if row["model"] != args.name]
    write_csv(args.out, kept + [about | found | source for found in counts if found])
    print(args.out)


def count(part: str, records: Sequence[SiteRecord]) -> dict[str, object] | None:
    """Return how many units are alive in a part of the model; None if no DyReLU is there."""
    alive = [
        float(statistics(record)["hidden_alive"])
        for record in records
        if record.site.name.startswith(f"{part}.")
    ]
    if not alive:
        return None
    return dict(
        part=part,
        sites=len(alive),
        sites_none_alive=alive.count(0),
        mean_alive=f"{sum(alive) / len(alive):.4g}",
    )


if __name__ == "__main__":
    with user_errors():
        main()
