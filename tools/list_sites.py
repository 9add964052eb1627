"""List the activation sites of a config: `python tools/list_sites.py CONFIG`.

One line per site: name, channels, map size, the original activation, and what the rules put there.
With --png the network is drawn as well, a bar for each site.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.registry import init_default_scope

from dyrelu_pose.cli import add_cfg_options, user_errors
from dyrelu_pose.config.errors import named_parts
from dyrelu_pose.config.load import input_size_of, load_config
from dyrelu_pose.models.estimator import relu_twin
from dyrelu_pose.placement import format_sites, place
from dyrelu_pose.visualization.site_strip import draw_site_strip


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
    """Build the model of the config without its rules, apply them, and print the table."""
    args = parse_args(argv)
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmpose.registry import MODELS

    with named_parts(cfg):
        model = MODELS.build(relu_twin(cfg.model) or cfg.model)
    placements = place(model, cfg.model.get("dyrelu", []), input_size_of(cfg))
    print(format_sites(placements))
    if args.png:
        draw_site_strip(placements, Path(args.config).stem, args.png)


if __name__ == "__main__":
    with user_errors():
        main()
