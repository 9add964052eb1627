"""Names of stages along an axis of sites."""

from matplotlib.figure import Figure

from dyrelu_pose.visualization.site_axis import label_sites


def labels(names):
    axes = Figure().subplots()
    label_sites(axes, names)
    return {
        text.get_text(): tick
        for text, tick in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)
    }


def test_a_stage_is_named_once_at_its_middle():
    names = ["backbone.stem", "backbone.layer1.0.relu1", "backbone.layer1.1.relu", "head.0"]
    assert labels(names) == {"backbone.stem": 0, "backbone.layer1": 1.5, "head.0": 3}


def test_a_name_without_room_is_left_out():
    names = ["backbone.relu1", "backbone.relu2", *(f"backbone.stage.{i}" for i in range(200))]
    assert list(labels(names)) == ["backbone.relu1", "backbone.stage"]
