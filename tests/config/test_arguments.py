"""`--cfg-options` of the tools: what a value may be, and what is a mistake of usage."""

import argparse

import pytest
from mmengine.config import Config

from dyrelu_pose.config.arguments import add_cfg_options, finite, share, show_predictions
from dyrelu_pose.config.errors import ConfigError
from tests.scripts import load


def parsed(*texts):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser, "")
    return parser.parse_args(texts).cfg_options


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("1e-3", 1e-3),
        ("true", True),
        ("None", None),
        ("", ""),
        ("a=b", "a=b"),
        ("runs/{fold}", "runs/{fold}"),
        ("1,2", [1, 2]),
        ("(0.5,1.5)", (0.5, 1.5)),
        ("My Pictures (2026)/", "My Pictures (2026)/"),
        ("1 2", "1 2"),
        ("[ coco/AP .5 , (a  b, 1 )]", ["coco/AP .5", ("a  b", 1)]),
        ("[a,b]", ["a", "b"]),
        ("[(1,2),[a]]", [(1, 2), ["a"]]),
        ("{'a': [1]}", {"a": [1]}),
        ("[dict(sites='*', act=dict(type='A'))]", [{"sites": "*", "act": {"type": "A"}}]),
        ('[{"sites": "*", "act": null, "linear": true}]',
         [{"sites": "*", "act": None, "linear": True}]),
    ],
)  # fmt: skip
def test_values(text, value):
    assert parsed("--cfg-options", f"a.b={text}") == {"a.b": value}


def test_options_may_be_given_in_several_groups():
    options = ["--cfg-options", "a=1", "b=1", "--cfg-options", "b=2"]
    assert parsed(*options) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["a.b"], "'a.b' is not KEY=VALUE"),
        (["c=1", "a.b", "=", "1"], "'a.b' is not KEY=VALUE"),
        (["a.b=", "1"], "'1' is not KEY=VALUE"),
        (["a.b = 1"], "'a.b = 1' is not KEY=VALUE"),
        (["=1"], "'=1' is not KEY=VALUE"),
        (["a..b=1"], "'a..b=1' is not KEY=VALUE"),
        (["a.b=[dict(type=A)]"], "the value of a.b cannot be read"),
        (["a.b=[{'type': 'A']"], "the value of a.b cannot be read"),
        (["a.b=x(1,2)"], "the value of a.b cannot be read"),
    ],
)
def test_mistakes_are_named_as_usage(texts, named, capsys):
    with pytest.raises(SystemExit) as error:
        parsed("--cfg-options", *texts)
    assert error.value.code == 2
    assert f"error: argument --cfg-options: {named}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "hooks", [{}, dict(default_hooks=None), dict(default_hooks=dict(visualization=None))]
)
@pytest.mark.parametrize("flag", [dict(show=True, show_dir=None), dict(show=False, show_dir="d")])
def test_a_flag_names_the_entry_that_it_needs(hooks, flag):
    args = argparse.Namespace(**flag, interval=1, wait_time=1)
    with pytest.raises(ConfigError, match=r"^--show.* sets something in default_hooks\.visualiz"):
        show_predictions(Config(hooks), args)
    cfg = Config(dict(default_hooks=dict(visualization=dict(type="PoseVisualizationHook"))))
    show_predictions(cfg, args)
    assert cfg.default_hooks.visualization.enable


@pytest.mark.parametrize("kind", [share, finite])
@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "a", ""])
def test_what_is_compared_is_a_number(kind, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text} is not a "):
        kind(text)
    assert kind("0.25") == 0.25


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("crop_dataset", ["config.py", "out", "--oversample"]),
        ("demo", ["picture.jpg", "--kpt-thr"]),
        ("draw_predictions", ["truth.json", "results.json", "--threshold"]),
        ("test", ["config.py", "model.pth", "--wait-time"]),
    ],
)
def test_numbers_of_the_tools_are_finite(tool, arguments, capsys):
    parse = load(f"tools/{tool}.py").parse_args
    with pytest.raises(SystemExit) as error:
        parse([*arguments, "nan"])
    assert error.value.code == 2
    assert f"error: argument {arguments[-1]}: nan is not a finite" in capsys.readouterr().err
    parse([*arguments, "1.5"])


def test_none_are_none():
    assert parsed() is None
