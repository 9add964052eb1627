"""Search the placement of DyReLU-B that has the cost reported for MobileNetV2 on ImageNet.

    python tools/dev/search_imagenet_placement.py

A secondary source gives 7.5M parameters and 315.5M multiply-adds, of 3.5M and 300.0M without
DyReLU, for MobileNetV2 x1.0 at 224x224. It says neither where the layers are nor how they are
counted. This counts every set of the following positions with every R, at K = 2, and writes the
closest ones to results/complexity/imagenet_mobilenetv2.csv:

    stem        after the first convolution
    expand      after the 1x1 convolution that widens, in 16 of the 17 blocks
    depthwise   after the depthwise convolution of every block
    project     after the 1x1 convolution that narrows, where MobileNetV2 has no activation
    last        after the last convolution, of 1280 channels

Columns in millions: `more_*` is what DyReLU adds, `hyper` by the matrices of its hyper function,
`apply` by K multiply-adds per element, `pool` by one addition per element; `madds` is the model
with all of these. `distance` adds the relative errors of the two reported additions (4.0M, 15.5M),
where multiply-adds are counted as `counting` says, whichever way fits best.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from mmengine.registry import MODELS
from torch import Tensor, nn

from dyrelu_pose.complexity import Complexity, Cost, measure, own_cost, write_records
from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.errors import user_errors
from dyrelu_pose.layers import DyReLUB
from dyrelu_pose.placement import Site, probe

OUT = Path("results/complexity/imagenet_mobilenetv2.csv")
INPUT_SIZE = (224, 224)
POSITIONS = ("stem", "expand", "depthwise", "project", "last")
REDUCTIONS = (4, 8, 16, 32)
SHOWN = 8  # rows
MORE_PARAMS, MORE_MADDS = 4.0, 15.5  # millions: 7.5 - 3.5 and 315.5 - 300.0
COUNTINGS = (("hyper",), ("hyper", "apply"), ("hyper", "apply", "pool"))


class MobileNetV2Classifier(nn.Module):
    """MobileNetV2 x1.0 with 1000 classes: images (N, 3, H, W) to logits (N, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = MODELS.build(dict(type="mmpose.MobileNetV2"))
        self.fc = nn.Linear(self.backbone.out_channel, 1000)

    def blocks(self) -> Iterator[tuple[str, nn.Sequential]]:
        """Yield the name and the convolutions of every inverted residual block."""
        for name, module in self.named_modules():
            if name.endswith(".conv") and isinstance(module, nn.Sequential):
                yield name, module

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        return self.fc(self.backbone(images)[-1].mean((2, 3)))


def sites_by_position(model: MobileNetV2Classifier) -> dict[str, list[Site]]:
    """Return the sites of every position."""
    position_of = {"backbone.conv1.activate": "stem", "backbone.conv2.activate": "last"}
    for name, convolutions in model.blocks():
        last = len(convolutions) - 1  # expand if there is one, depthwise, projection
        position_of[f"{name}.{last}.project"] = "project"
        position_of[f"{name}.{last - 1}.activate"] = "depthwise"
        position_of[f"{name}.{last - 2}.activate"] = "expand"
    found = {position: [] for position in POSITIONS}
    for site in probe(model, INPUT_SIZE, linear=True):
        found[position_of[site.name]].append(site)
    return found


def cost_at(sites: Iterable[Site], reduction: int) -> tuple[int, Cost]:
    """Return the parameters and the multiply-adds of DyReLU-B at `sites`."""
    params, total = 0, Cost()
    for site in sites:
        layer = DyReLUB(site.channels, reduction=reduction)
        cost = own_cost(layer, (1, site.channels, *site.size))
        params += sum(parameter.numel() for parameter in layer.parameters())
        total = Cost(*map(sum, zip(total, cost, strict=True)))
    return params, total


def search(plain: Complexity, sites: dict[str, list[Site]]) -> list[dict[str, str | float]]:
    """Return a record of every placement and R, the closest first."""
    records = []
    for reduction in REDUCTIONS:
        for count in range(1, len(POSITIONS) + 1):
            for chosen in combinations(POSITIONS, count):
                own = [site for position in chosen for site in sites[position]]
                cost = cost_at(own, reduction)
                records.append(record(" + ".join(chosen), reduction, len(own), plain, *cost))
    return sorted(records, key=lambda found: found["distance"])


def record(
    placement: str, reduction: int, sites: int, plain: Complexity, params: int, cost: Cost
) -> dict[str, str | float]:
    """Return the row of a placement with its distance to what was reported, in millions."""
    more = {name: value / 1e6 for name, value in cost._asdict().items()}
    errors = {
        " + ".join(counted): abs(sum(more[name] for name in counted) / MORE_MADDS - 1)
        for counted in COUNTINGS
    }
    counting, error = min(errors.items(), key=lambda item: item[1])
    distance = abs(params / 1e6 / MORE_PARAMS - 1) + error
    values = dict(
        params=(plain.params + params) / 1e6,
        madds=(plain.madds + sum(cost)) / 1e6,
        plain_params=plain.params / 1e6,
        plain_madds=plain.madds / 1e6,
        more_params=params / 1e6,
        more_hyper=more["hyper"],
        more_apply=more["apply"],
        more_pool=more["pool"],
        distance=distance,
    )
    rounded = {name: round(value, 3) for name, value in values.items()}
    return dict(placement=placement, reduction=reduction, sites=sites, counting=counting) | rounded


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=at_least_one, default=24, help="rows to write (%(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"CSV file ({OUT.name})")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Count all placements, print the closest and write them."""
    args = parse_args(argv)
    model = MobileNetV2Classifier()
    plain = measure(model, INPUT_SIZE)
    found = search(plain, sites_by_position(model))[: args.keep]
    for row in found[:SHOWN]:
        print(
            f"{row['placement']}, R={row['reduction']}: {row['params']:.2f}M parameters, "
            f"{row['madds']:.1f}M multiply-adds ({row['more_hyper']:.2f}M hyper, "
            f"{row['more_apply']:.2f}M apply, {row['more_pool']:.2f}M pool), "
            f"closest counted as {row['counting']}"
        )
    write_records(args.out, found)
    print(args.out)


if __name__ == "__main__":
    with user_errors():
        main()
