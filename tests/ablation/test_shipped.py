"""Every grid that ships loads, and each of its cells builds and places what its name says."""

from collections import Counter

import pytest
from mmpose.registry import MODELS

from dyrelu_pose.ablation.configs import digest, resolve
from dyrelu_pose.ablation.grid import Cell, GridError, load_grid
from dyrelu_pose.ablation.plan import build_without_values, check_distinct, plan_cell

from .conftest import DEMO, ROOT

GRIDS = sorted(path.stem for path in (ROOT / "configs/ablations").glob("*.py"))

PAPER = dict(DyReLUB=35, DyReLUC=7)  # MobileNetV2's backbone, the light head
B_BACKBONE = dict(DyReLUB=35)


def matrix(backbone, head):
    """Layers per cell of the 4 x 4 matrix, of so many sites in backbone and head."""
    cells = {}
    for row in ("none", "A", "B", "C"):
        for column in ("none", "A", "B", "C"):
            layers = {f"DyReLU{row}": backbone} if row != "none" else {}
            if column != "none":
                layers[f"DyReLU{column}"] = layers.get(f"DyReLU{column}", 0) + head
            cells[f"{row}+{column}"] = layers
    return cells


# Layers per cell, by class; a single dict where all cells have the same.
PLACED = dict(
    matrix=matrix(35, 7),
    synthetic_matrix=matrix(17, 5),
    tiny=dict(relu={}, dyrelu=dict(DyReLUB=17, DyReLUC=5)),
    k=PAPER,
    reduction=PAPER,
    temperature=PAPER,
    init=PAPER,
    warm_start=dict(relu={}, dyrelu=PAPER),
    fuse_norm=dict(separate=PAPER, fused={"DyReLUB + norm": 35, "DyReLUC": 7}),
    # MobileNetV2 has 17 blocks; the first does not expand.
    where={
        "none": {},
        "expand": dict(DyReLUB=16),
        "depthwise": dict(DyReLUB=17),
        "project": dict(DyReLUB=17),
        "expand+depthwise": dict(DyReLUB=33),
        "expand+project": dict(DyReLUB=33),
        "depthwise+project": dict(DyReLUB=34),
        "expand+depthwise+project": dict(DyReLUB=50),
    },
    # Blocks 1, 2, 3 of two sites after one of one site, and the stem; 4 and 3; 3 and 1, the last.
    stages={
        "none": {},
        "fine": dict(DyReLUB=1 + 1 + 2 * 2 + 3 * 2),
        "middle": dict(DyReLUB=4 * 2 + 3 * 2),
        "coarse": dict(DyReLUB=3 * 2 + 1 * 2 + 1),
        "fine+middle": dict(DyReLUB=26),
        "middle+coarse": dict(DyReLUB=23),
        "fine+middle+coarse": B_BACKBONE,
    },
    activations=dict(
        ReLU6={},
        WiderReLU6={},
        HSwish=dict(Hardswish=42),  # what MMCV's name stands for in current torch
        MaxoutPerChannel=dict(Maxout=42),
        DyReLU=PAPER,
        **{
            name: {name: 42}
            for name in ("ReLU", "LeakyReLU", "PReLU", "RReLU", "ChannelPReLU", "SEReLU", "Maxout")
        },
    ),
)
PLACED["rates"] = {
    "relu": {},
    **dict.fromkeys(
        ("full", "0.5", "1", "2", "4", "8", "16", "4-biases"), dict(DyReLUB=17, DyReLUC=5)
    ),
}
PLACED["lambda"] = PAPER
PLACED["study_resnet18"] = {
    **{name: {} for name in ("ReLU", "ReLU-9", "ReLU-10", "ReLU-11")},
    "B": dict(DyReLUB=17),
    **dict.fromkeys(("C", "C-flat1", "C-R1", "C-slow"), dict(DyReLUC=17)),
    "none+C": dict(DyReLUC=5),
    "B+C": dict(DyReLUB=17, DyReLUC=5),
    "C+C": dict(DyReLUC=22),
    "SE": dict(SEReLU=17),
    "PReLU": dict(ChannelPReLU=17),
}
PLACED["study_mobilenetv2"] = {
    **{name: {} for name in ("ReLU", "ReLU-x0.3", "ReLU-x0.4", "ReLU-x0.5")},
    **{name: {f"DyReLU{name}": 34} for name in ("B", "C")},
    "none+C": dict(DyReLUC=7),
    "B+C": dict(DyReLUB=34, DyReLUC=7),
    "C+C": dict(DyReLUC=41),
    "C+linear": dict(DyReLUC=51),
    "SE": dict(SEReLU=34),
    "PReLU": dict(ChannelPReLU=34),
}
PLACED["demo"] = {"ReLU": {}, "C": dict(DyReLUC=17)}
PLACED["published"] = {"ReLU6": {}, "B+C": {"DyReLUB + norm": 28, "DyReLUC": 3}}
PLACED["study_recipe"] = dict.fromkeys(
    (
        *("1e-3", "2e-3", "4e-3", "8e-3", "1.6e-2"),
        *("2e-3-batch64", "4e-3-batch64", "8e-3-batch64"),
    ),
    {},
)
PLACED["recipe"] = {
    **{name: {} for name in ("relu", "relu-lr2e-3", "relu-lr5e-4", "relu-lr5e-4-batch8")},
    **dict.fromkeys(("B+C", "B+C-hyper3", "B+C-hyper10"), PAPER),
    **{name: dict(DyReLUC=42) for name in ("C+C-flat1", "C+C-flat1-tau1")},
}


# Grids with widths or an evaluator of one base, which suit no other.
OWN_BASE = {
    "tiny",
    "demo",
    "published",
    "synthetic_matrix",
    "rates",
    "study_resnet18",
    "study_mobilenetv2",
}


FOUND: dict[str, Counter] = {}  # by the model, which many cells train in other ways


def layers(cfg):
    key = repr((cfg.model, cfg.codec))
    if key not in FOUND:
        _, placements = build_without_values(cfg)
        FOUND[key] = Counter(placement.placed for placement in placements if placement.placed)
    return FOUND[key]


@pytest.mark.parametrize("name", GRIDS)
def test_every_cell_places_what_its_name_says(name):
    grid = load_grid(ROOT / f"configs/ablations/{name}.py")
    configs = {cell.name: resolve(cell, 0) for cell in grid.cells.values()}
    check_distinct({cell: digest(cfg) for cell, cfg in configs.items()})
    placed = {cell: layers(cfg) for cell, cfg in configs.items()}
    expected = PLACED[name]
    if expected is PAPER:
        expected = dict.fromkeys(grid.cells, PAPER)
    assert placed == expected


@pytest.mark.parametrize("name", sorted({*GRIDS} - OWN_BASE))
def test_grids_run_on_coco_with_another_base(name):
    grid = load_grid(
        ROOT / f"configs/ablations/{name}.py", ROOT / "configs/baselines/mobilenetv2.py"
    )
    cell = list(grid.cells.values())[-1]
    assert plan_cell(cell, resolve(cell, 0)).complexity.params > 3e6


def cell(**entries):
    return Cell("c", DEMO, **entries)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (dict(dyrelu=[dict(sites="haed.*", act=None)]), r"cell c: rule 0: 'haed\.\*' matches none"),
        (dict(dyrelu=[dict(sites="*", act=dict(type="DyReLUX"))]), "cell c: .*no activation 'DyRe"),
        (dict(dyrelu=[dict(site="*")]), "cell c: rule 0 has the unknown key 'site'"),
        (dict(options={"model.backbone.depht": 50}), "cell c: .*depht"),
        (dict(options={"model.head.in_channels": 7}), "cell c: .*"),
        (dict(options={"model.backbone.depth": 19}), "cell c: model.backbone of the config"),
    ],
)
def test_what_cannot_be_built_is_named_before_anything_is_trained(entries, message):
    with pytest.raises(GridError, match=message):
        plan_cell(cell(**entries), resolve(cell(**entries), 0))


def test_planning_builds_what_training_builds():
    rules = [dict(sites="backbone.*", act=dict(type="DyReLUB"))]
    cfg = resolve(cell(dyrelu=rules), 0)
    trained = MODELS.build(cfg.model)
    params = sum(parameter.numel() for parameter in trained.parameters())
    assert plan_cell(cell(), cfg).complexity.params == params


def test_a_cell_is_measured_at_the_input_that_its_options_give_it():
    grid = load_grid(ROOT / "configs/ablations/rates.py")
    twin, full = (plan_cell(grid.cells[n], resolve(grid.cells[n], 0)) for n in ("relu", "full"))
    assert twin.complexity.madds < full.complexity.madds < 1.2 * twin.complexity.madds


@pytest.mark.parametrize(
    ("name", "widest"), [("study_resnet18", "ReLU-10"), ("study_mobilenetv2", "ReLU-x0.4")]
)
def test_the_wider_twin_has_more_of_both_than_any_dyrelu_row(name, widest):
    grid = load_grid(ROOT / f"configs/ablations/{name}.py")
    costs = {
        cell: plan_cell(grid.cells[cell], resolve(grid.cells[cell], 0)).complexity
        for cell in ("B", "C", "none+C", "B+C", "C+C", "SE", widest)
    }
    wider = costs.pop(widest)
    assert all(cost.params <= wider.params for cost in costs.values())
    assert all(cost.madds <= wider.madds for cost in costs.values())


def test_equal_cells_are_an_error():
    with pytest.raises(GridError, match="cells a and c have the same config"):
        check_distinct(dict(a="1", b="2", c="1"))
