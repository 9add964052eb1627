"""OpenMMLab's tools find the models of model-index.yml, which says what the records say."""

import json

import pytest
from mmengine.infer import BaseInferencer

from dyrelu_pose.paths import ROOT, SHIPPED_CHECKPOINT
from dyrelu_pose.records.files import read_csv

from .scripts import load, run

MODELS = list(BaseInferencer._get_models_from_metafile(str(ROOT)))


def test_files_are_up_to_date():
    run("tools/dev/model_index.py", "--check")


def test_stale_and_foreign_files_are_found_and_replaced(tmp_path, monkeypatch):
    script = load("tools/dev/model_index.py")
    folder, index = tmp_path / "configs/metafiles", tmp_path / "model-index.yml"
    monkeypatch.setattr(script, "FOLDER", folder)
    monkeypatch.setattr(script, "INDEX", index)
    monkeypatch.setattr(script, "of", str)
    with pytest.raises(script.UserError, match=r"hrnet.yml is out of date"):
        script.main(["--check"])
    assert not folder.exists()
    script.main([])
    (folder / "gone.yml").write_text("Models: []")
    with pytest.raises(script.UserError, match=r"gone.yml is out of date"):
        script.main(["--check"])
    script.main([])
    script.main(["--check"])
    assert not (folder / "gone.yml").exists()


def test_every_model_has_what_its_readers_ask_for():
    assert len({model["Name"] for model in MODELS}) == len(MODELS)
    for model in MODELS:
        assert (ROOT / model["Config"]).is_file()
        assert {"In Collection", "Metadata"} <= model.keys()
        assert (ROOT / model.get("Weights", "README.md")).is_file()


def test_costs_are_those_of_the_table():
    costs = read_csv(ROOT / "results/complexity/models.csv")
    wanted = {row["model"]: (row["params"], row["madds"]) for row in costs if row["baseline"]}
    found = {
        model["Config"]: tuple(str(model["Metadata"][key]) for key in ("Parameters", "FLOPs"))
        for model in MODELS
        if "Weights" not in model
    }
    assert found == wanted


def test_published_model_has_weights_and_ap_on_coco_mini():
    (model,) = (model for model in MODELS if "Weights" in model)
    card = json.loads(SHIPPED_CHECKPOINT.with_suffix(".json").read_text())
    (result,) = model["Results"]
    assert ROOT / model["Weights"] == SHIPPED_CHECKPOINT
    assert result["Dataset"] == "COCO-mini"
    assert result["Metrics"]["AP"] == pytest.approx(card["metrics"]["coco/AP"], abs=5e-4)
    assert model["Metadata"]["Parameters"] == card["parameters"]


def test_model_index_package_reads_it():
    modelindex = pytest.importorskip("modelindex", reason="the package model-index is absent")
    index = modelindex.load(str(ROOT / "model-index.yml"))
    assert index.check(silent=True) == []
    assert [model.name for model in index.models] == [model["Name"] for model in MODELS]
    assert all("Dynamic ReLU" in m.full_model.metadata.architecture for m in index.models)
