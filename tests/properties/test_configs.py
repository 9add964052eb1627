"""Whatever is edited in a config, what it says is built, or one error names the edited key."""

import re
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.config import Config
from mmpose.registry import DATASETS, METRICS, MODELS

from dyrelu_pose.config.errors import named_parts
from dyrelu_pose.config.files import check_files
from dyrelu_pose.errors import UserError
from dyrelu_pose.placement import PlacementError

DEMO = Path(__file__).parents[2] / "configs/demo/dyrelu_resnet18.py"
PARTS = ("model", "train_dataloader", "val_evaluator")
CONFIG = {key: value for key, value in Config.fromfile(DEMO).to_dict().items() if key in PARTS}
# From None to what no option can be; small, for numbers are sizes.
VALUES = (None, True, -1, 0, 7, 0.5, "", "text", [], [1], ["text"], {}, {"type": "text"})


def keys(part, above=()):
    """Each key of a part of a config, with those that lead to it."""
    items = part.items() if isinstance(part, dict) else ()
    if isinstance(part, list | tuple):
        items = enumerate(part)
    for name, value in items:
        if isinstance(name, str):
            yield (*above, name)
        yield from keys(value, (*above, name))


@pytest.fixture(scope="module")
def whole(people):
    """The demo's config on data that is there."""
    whole = deepcopy(CONFIG)
    whole["train_dataloader"]["dataset"].update(data_root=f"{people}/", lazy_init=True)
    whole["val_evaluator"]["ann_file"] = f"{people}/annotations/person_keypoints_val.json"
    return whole


@settings(deadline=None, max_examples=20, derandomize=True)
@given(
    st.sampled_from(list(keys(CONFIG))),
    st.sampled_from(["delete", "rename", "retype"]),
    st.sampled_from(VALUES),
)
def test_any_edit_builds_or_is_named(whole, path, kind, value):
    edited = deepcopy(whole)
    *above, name = path
    part = edited
    for key in above:
        part = part[key]
    if kind == "retype":
        part[name] = value
    else:
        value = part.pop(name)
        if kind == "rename":
            part[f"{name}_"] = value
    cfg = Config(edited)
    try:
        with named_parts(cfg):
            check_files(cfg, ["train", "val"])
            loader = cfg.get("train_dataloader", {})
            for registry, part in (
                *((MODELS, cfg.model), (DATASETS, loader.get("dataset"))),
                (METRICS, cfg.get("val_evaluator")),
            ):
                if part is not None:
                    registry.build(part)
    except PlacementError as error:  # or the rule; or of two parts that do not fit, one
        assert name in str(error) or re.search(r"rules? |cannot be probed.*fails in", str(error))
    except UserError as error:  # without the key, the part that lacks it
        assert name in str(error) or ".".join(map(str, above)) in str(error)
