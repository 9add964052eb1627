"""An option of the command line is followed to where its value is read, or refused by name."""

import json

import pytest
from mmengine.config import Config

from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.config.load import load_config, load_model_config
from dyrelu_pose.config.options import OptionError, named_options
from dyrelu_pose.errors import UserError

BASE = """
root = "base/"
size = (64, 48)
codec = dict(type="C", input_size=size)
data_preprocessor = dict(mean=[0.0])
pipeline = [dict(type="A"), dict(type="B", codec=codec, scale=(1, 2))]
unused = dict(a=1)
model = dict(head=dict(decoder=codec), data_preprocessor=data_preprocessor)
train_dataloader = dict(batch_size=2, dataset=dict(data_root=root, pipeline=pipeline))
"""
CHILD = """
_base_ = "base.py"
root: str
root = "child/"
def codec_of(scale):
    codec = None
    return scale
pipeline = [dict(scale=codec_of(s)) for s in (1, 2, 3)]
for split in ("val", "test"):
    folder = root + split
val_evaluator = dict(ann_file=f"{root}val.json", folder=folder)
val_dataloader = dict(dataset=dict(data_root=root, codec={{_base_.codec}}, steps=pipeline))
train_dataloader = dict(dataset=dict(data_root=root))
test_dataloader = dict(dataset=_base_.codec)
"""


@pytest.fixture
def child(tmp_path):
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "child.py").write_text(CHILD)
    return str(tmp_path / "child.py")


def test_what_an_option_of_a_variable_takes_effect_in_is_said_once(child, capsys):
    for _ in range(2):
        load_config(child, {"codec.input_size": [9, 9], "train_dataloader.batch_size": 3})
    said = "option codec.input_size takes effect in model.head.decoder.input_size, train_dataload"
    assert capsys.readouterr().err.count(said) == 1


def test_an_error_names_the_options_that_were_followed(child):
    options = {"root": "else/", "train_dataloader.batch_size": 3}
    cfg = load_config(child, options)
    with (
        pytest.raises(UserError, match=r"no file else \(with .* options root\)$"),
        named_options(cfg, options),
    ):
        raise UserError("no file else")
    with pytest.raises(UserError, match="^no$"), named_options(cfg, None):
        raise UserError("no")
    with pytest.raises(UserError, match=r"^no \(with .* root\)$"), named_options(cfg, options):
        raise UserError("Caught UserError in DataLoader worker 0.\nTraceback:\na.b.UserError: no\n")


def parts(cfg):
    return {key: cfg.get(key) for key in cfg if key.endswith(("loader", "evaluator", "model"))}


def test_a_variable_is_followed_to_all_that_is_made_of_it(child):
    cfg = load_config(child, {"root": "else/"})
    assert cfg.root == cfg.train_dataloader.dataset.data_root == "else/"
    assert cfg.val_dataloader.dataset.data_root == "else/"
    assert cfg.val_evaluator == dict(ann_file="else/val.json", folder="else/test")


def test_a_variable_of_an_inherited_file_is_followed(child):
    cfg = load_config(child, {"codec.input_size": [9, 9], "codec.sigma": 2})
    expected = dict(type="C", input_size=[9, 9], sigma=2)
    assert cfg.model.head.decoder == cfg.train_dataloader.dataset.pipeline[1].codec == expected
    assert cfg.val_dataloader.dataset.codec == cfg.test_dataloader.dataset == expected


def test_an_entry_of_a_list_is_followed_where_the_list_has_it(child):
    options = {"pipeline.1.scale": 5, "pipeline.2.scale": 6, "train_dataloader.batch_size": 7}
    cfg = load_config(child, options)
    assert [step.scale for step in cfg.val_dataloader.dataset.steps] == [1, 5, 6]
    assert cfg.train_dataloader.dataset.pipeline[1].scale == 5
    assert cfg.train_dataloader.batch_size == 7


def test_a_data_config_follows_what_it_inherits_from_python(tmp_path):
    path = tmp_path / "own.json"
    path.write_text(json.dumps(dict(_base_="dyrelu_pose::demo/resnet18.py")))
    assert load_config(str(path), {"codec.sigma": 9}).model.head.decoder.sigma == 9


def test_what_the_model_has_of_its_own_is_followed(child):
    cfg = load_config(child, {"data_preprocessor.mean": [1.0]})
    assert cfg.model.data_preprocessor.mean == [1.0]


def test_an_option_of_what_is_read_wins_over_one_of_a_variable(child):
    options = {"root": "else/", "train_dataloader.dataset.data_root": "third/"}
    cfg = load_config(child, options)
    assert cfg.train_dataloader.dataset.data_root == "third/"
    assert cfg.val_dataloader.dataset.data_root == "else/"


def test_the_next_config_is_read_as_it_is(child):
    load_config(child, {"root": "else/"})
    assert load_config(child).root == "child/"


@pytest.mark.parametrize("options", [{"root": "child/"}, {"unused.a": 1}, {"size": (64, 48)}])
def test_a_variable_may_be_given_the_value_it_has(child, options):
    assert parts(load_config(child, options)) == parts(load_config(child))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("train_datalaoder.batch_size", "did you mean train_dataloader.batch_size"),
        ("dataset.data_root", "did you mean train_dataloader.dataset.data_root or val_data"),
        ("total_epochs", "total_epochs is not an entry that is read$"),
        ("launcher", "launcher is not an entry that is read"),
        ("unused.a", "nothing reads unused of .*child.py, and nothing there is made from it"),
    ],
)
def test_an_option_that_changes_nothing_is_refused(child, key, message):
    options = {"root": "else/", key: 7, "train_dataloader.batch_size": 1}
    with pytest.raises(OptionError, match=f"option {key} changes nothing: .*{message}"):
        load_config(child, options)


@pytest.mark.parametrize("name", ["dumped.py", "dumped.json"])
def test_copies_that_a_file_spells_out_are_named(child, tmp_path, name):
    cfg = load_config(child)
    cfg.dump(tmp_path / name)
    with pytest.raises(OptionError) as error:
        load_config(str(tmp_path / name), {"codec.input_size": [9, 9]})
    copies = "set model.head.decoder.input_size, train_dataloader.dataset.pipeline.1.codec"
    assert copies in str(error.value).replace("test_dataloader.dataset.input_size, ", "")
    with pytest.raises(OptionError, match="set .*val_evaluator.ann_file"):
        load_config(str(tmp_path / name), {"root": "else/"})


def test_a_value_that_the_file_cannot_use_is_named(child):
    with pytest.raises(OptionError, match=r"option root=7: .*child.py cannot be executed.*int"):
        load_config(child, {"root": 7})


@pytest.mark.parametrize(
    "key", ["train_dataloader.dataset.pipeline.2.scale", "train_dataloader.batch_size.a",
            "train_dataloader.dataset.pipeline.0", "train_dataloader.dataset.pipeline.type",
            "pipeline.7.scale", "root.a"]
)  # fmt: skip
def test_an_option_that_does_not_fit_is_named(child, key):
    options = {"train_dataloader.batch_size": 3, key: 1}
    with pytest.raises(OptionError, match=f"option {key} does not fit the config: "):
        load_config(child, options)


def test_the_size_of_the_input_is_read_where_nothing_else_says_it(child, tmp_path):
    path = tmp_path / "classifier.json"
    path.write_text(json.dumps(dict(model=dict(head=dict(type="H")))))
    assert load_config(str(path), {"input_size": [9, 9]}).input_size == [9, 9]
    with pytest.raises(OptionError, match="option input_size changes nothing"):
        load_config(child, {"input_size": [9, 9]})


def test_modules_named_by_an_option_are_imported(child, tmp_path, monkeypatch):
    (tmp_path / "named_by_option.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path)
    options = {"custom_imports.imports": ["named_by_option"]}
    with pytest.raises(ImportError, match="named_by_option"):
        load_config(child, options)


def test_an_option_that_is_read_costs_nothing(child, monkeypatch):
    read = []
    original = Config.fromfile
    monkeypatch.setattr(Config, "fromfile", lambda path: read.append(path) or original(path))
    cfg = load_config(child, {"train_dataloader.batch_size": 3, "work_dir": "w"})
    assert (cfg.train_dataloader.batch_size, cfg.work_dir, len(read)) == (3, "w", 1)
    with pytest.raises(UserError, match="does not exist"):
        load_config("absent.py", {"work_dir": "w"})


def test_what_is_no_config_of_a_model(tmp_path):
    text = tmp_path / "config.txt"
    text.write_text("model = dict()\n")
    with pytest.raises(
        UserError, match=r"config\.txt: its name has to end in one of \.py, \.json,"
    ):
        load_config(str(text))
    part = tmp_path / "part.py"
    part.write_text("data_root = 'data/'\n")
    assert load_config(str(part)).data_root == "data/"
    with pytest.raises(ConfigError, match=r"part\.py has no model: it is a part of a config"):
        load_model_config(str(part))
