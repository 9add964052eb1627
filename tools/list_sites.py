"""List the activation sites of a config: `python tools/list_sites.py CONFIG`.

One line per site: name, channels, map size, the original activation, and what the rules put there.
Sites called linear have no activation; they are for rules with `linear=True`.
With --png the network is drawn as well, a bar for each site.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from dyrelu_pose.config.arguments import add_cfg_options
from dyrelu_pose.config.errors import named_parts
from dyrelu_pose.config.load import load_model_config
from dyrelu_pose.errors import user_errors
from dyrelu_pose.models.estimator import build
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.placement import format_sites, with_linear
from dyrelu_pose.records.files import check_output_file
from dyrelu_pose.visualization.site_strip import draw_site_strip
from dyrelu_pose.visualization.style import WRITTEN


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="List the activation sites of a config")
    parser.add_argument("config", help="config file, with or without DyReLU")
    parser.add_argument("--png", type=Path, metavar="OUT", help="picture to draw the sites in")
    add_cfg_options(
        parser, "override entries of the config, such as model.dyrelu.0.sites='backbone.layer1.*'"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Build the model of the config and print the table."""
    args = parse_args(argv)
    if args.png:
        check_output_file(args.png, WRITTEN)
    cfg = load_model_config(args.config, args.cfg_options)
    with named_parts(cfg):
        model, placements = build(cfg)
    print(format_sites(with_linear(placements, model, input_size_of(cfg))))
    if args.png:
        draw_site_strip(placements, Path(args.config).stem, args.png)


if __name__ == "__main__":
    with user_errors():
        main()
