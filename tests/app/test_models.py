"""What the page shows of a picture, without the page."""

from dataclasses import replace

import numpy as np
import pytest

from dyrelu_pose.app.people import LONGEST, SHORTEST
from dyrelu_pose.datasets.coco_keypoints import KEYPOINTS, LIMB_INDICES
from dyrelu_pose.inference import read_image
from dyrelu_pose.layers import DyReLU, DyReLUC


@pytest.fixture(scope="module")
def found(dynamic, drawn_person):
    return dynamic.find(read_image(drawn_person), drawn_person.name)


def test_people_are_those_of_the_inferencer(dynamic, drawn_person, found):
    (sample,) = dynamic.pose(drawn_person)
    (entry,) = found.entries
    keypoints = np.reshape(entry["keypoints"], (17, 3))
    np.testing.assert_allclose(keypoints[:, :2], sample.pred_instances.keypoints[0], atol=1e-4)
    assert (entry["image_id"], entry["file_name"]) == (int(drawn_person.stem), drawn_person.name)
    height, width = read_image(drawn_person).shape[:2]
    assert entry["bbox"] == [0, 0, width, height]
    assert found.skeleton.names == KEYPOINTS
    assert found.skeleton.limbs == LIMB_INDICES


def test_a_small_picture_is_enlarged_with_its_keypoints(found, drawn_person):
    scale = SHORTEST / min(read_image(drawn_person).shape[:2])
    assert min(found.picture.shape[:2]) == SHORTEST
    places = np.reshape(found.entries[0]["keypoints"], (17, 3))[:, :2]
    np.testing.assert_allclose(found.keypoints[0], (places + 0.5) * scale - 0.5, atol=0.01)


def test_a_large_picture_is_made_smaller(dynamic):
    found = dynamic.find(np.zeros((100, 2 * LONGEST, 3), np.uint8), "wide.jpg")
    assert found.picture.shape == (50, LONGEST, 3)
    assert found.entries[0]["bbox"] == [0, 0, 2 * LONGEST, 100]


def test_the_score_says_what_is_drawn(found):
    random = np.random.default_rng(0)
    places = random.uniform(20, SHORTEST - 20, (1, 17, 2))
    found = replace(found, keypoints=places, scores=np.linspace(0.1, 0.9, 17)[None])
    np.testing.assert_array_equal(found.draw(0.91), found.picture)
    three, everything = found.draw(0.8), found.draw(0)
    assert 0 < (three != found.picture).sum() < (everything != found.picture).sum()
    for column, row in places[0, 14:].round().astype(int):
        assert (three[row, column] != found.picture[row, column]).any()
    assert found.sentence(0.8) == (
        "The picture is taken for one person: 3 of 17 keypoints have a score of at least 0.80."
    )


def test_several_people_and_nobody(dynamic, drawn_person, monkeypatch):
    boxes = np.array([[0, 0, 60, 100, 0.9], [40, 20, 110, 150, 0.8]], np.float32)
    monkeypatch.setattr(dynamic.pose, "detector", lambda picture: boxes)
    picture = read_image(drawn_person)
    two = dynamic.find(picture, "two.jpg")
    assert two.sentence(0).startswith("2 people found: 34 of 34 keypoints")
    functions, maps = dynamic.figures(dynamic.first_site, two)
    assert [axes.get_title() for axes in functions.axes[1:]] == ["person 1", "person 2"]

    boxes = boxes[:0]
    nobody = dynamic.find(picture, "empty.jpg")
    assert nobody.sentence(0.3) == "Nobody was found in this picture."
    assert nobody.entries == []
    np.testing.assert_array_equal(nobody.draw(0), nobody.picture)
    assert dynamic.figures(dynamic.first_site, nobody) == []


def test_sites_of_both_models(dynamic, twin):
    assert dynamic.name == "DyReLU (dyrelu_resnet18)"
    assert twin.name == "ReLU twin (resnet18)"
    layers = {name: dynamic.pose.model.get_submodule(name) for name in dynamic.sites}
    assert all(isinstance(layer, DyReLU) for layer in layers.values())
    assert isinstance(layers[dynamic.first_site], DyReLUC)
    assert list(twin.sites) == list(dynamic.sites)
    assert dynamic.describe(dynamic.first_site).startswith(f"{dynamic.first_site}: DyReLUC, ")


def test_figures_are_those_of_the_site(dynamic, twin, found):
    functions, maps = dynamic.figures(dynamic.first_site, found)
    assert "max(a x + b), before the map" in functions.axes[0].get_ylabel()
    assert len(functions.axes) == 2  # one image is drawn once
    assert "map of" in maps.get_suptitle()
    picture, over = (axes.get_subplotspec() for axes in maps.axes[:2])
    assert picture.rowspan == over.rowspan  # of few, a map is beside its picture
    assert maps.get_figwidth() < functions.get_figwidth()
    (functions,) = dynamic.figures(next(iter(dynamic.sites)), found)
    assert functions.axes[0].get_ylabel() == "output"
    (band,) = twin.figures(twin.first_site, found)
    assert twin.first_site in band.get_suptitle()
