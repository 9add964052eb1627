"""The tables: twins, differences, files; and the search on ImageNet's MobileNetV2."""

import csv

import pytest
from mmengine.config import Config

from dyrelu_pose.complexity import Complexity, Row, format_rows, measure
from dyrelu_pose.errors import UserError
from dyrelu_pose.models.estimator import relu_twin
from dyrelu_pose.placement import place
from tests.scripts import DEMO, load, run

BASELINE = "configs/demo/resnet18.py"


def test_the_part_that_cannot_be_built_is_named():
    options = ["--cfg-options", "model.backbone.depth=19"]
    with pytest.raises(UserError, match=r"model\.backbone of the config cannot be built"):
        load("tools/complexity.py").main([BASELINE, *options])


def test_table_by_hand():
    plain = Row("plain", (192, 256), Complexity(2_000_000, 100_000_000, 2**20))
    ours = Row("ours", (192, 256), Complexity(3_000_000, 105_000_000, 2**19), plain)
    header, _, first, second = format_rows([plain, ours]).splitlines()
    assert header.split("  ")[0] == "model"
    assert first.split() == ["plain", "256x192", "2.00M", "100.0M", "1.0", "MiB"]
    assert second.split("  ")[-1].strip() == "0.5 MiB (-50.0 %)"
    assert "3.00M (+50.0 %)" in second
    assert "105.0M (+5.0 %)" in second


def test_tool_puts_a_config_below_its_twin(tmp_path):
    out = tmp_path / "figures/rows.csv"
    table = run("tools/complexity.py", DEMO, BASELINE, "--csv", out, stderr=None).splitlines()
    models = [line.split("  ")[0] for line in table[2:]]
    assert models == [f"{DEMO} without rules", DEMO, BASELINE]
    with out.open() as file:
        twin, ours, baseline = csv.DictReader(file)
    figures = ("params", "madds", "activations")
    assert [baseline[name] for name in figures] == [twin[name] for name in figures]
    assert all(int(ours[name]) > int(twin[name]) for name in figures)
    assert (twin["baseline"], ours["baseline"], baseline["baseline"]) == (
        "", f"{DEMO} without rules", f"{DEMO} without rules",
    )  # fmt: skip
    assert baseline["madds_more_percent"] == "0.00"
    assert "torch" in ours["versions"]


def test_tool_names_a_missing_config():
    printed = run("tools/complexity.py", "nowhere.py", expect=1)
    assert "error: config nowhere.py does not exist" in printed


@pytest.mark.parametrize("rules", [None, []])
def test_no_rules_no_twin(rules):
    model = {} if rules is None else {"dyrelu": rules}
    assert relu_twin(Config(dict(model=model))) is None


@pytest.fixture(scope="module")
def tool():
    return load("tools/dev/search_imagenet_placement.py")


def test_search_counts_what_a_placed_model_costs(tool):
    model = tool.MobileNetV2Classifier()
    plain = measure(model, tool.INPUT_SIZE)
    # 3,504,872 is the number of parameters of torchvision's mobilenet_v2 as well.
    assert (plain.params, round(plain.madds / 1e6, 1)) == (3_504_872, 300.8)
    sites = tool.sites_by_position(model)
    assert [len(sites[name]) for name in tool.POSITIONS] == [1, 16, 17, 17, 1]
    found = tool.search(plain, sites)
    assert len(found) == 4 * 31  # R, and the subsets of five positions but for the empty one
    everywhere = dict(placement=" + ".join(tool.POSITIONS), reduction=8)
    record = next(row for row in found if everywhere.items() <= row.items())

    rule = dict(sites="*", act=dict(type="DyReLUB", reduction=8))
    place(model, [rule, dict(rule, linear=True)], tool.INPUT_SIZE)
    placed = measure(model, tool.INPUT_SIZE)
    assert (record["params"], record["madds"]) == (
        round(placed.params / 1e6, 3), round(placed.madds / 1e6, 3),
    )  # fmt: skip
