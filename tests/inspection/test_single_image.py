"""Figures of one image, which there is nothing to compare with."""

from dataclasses import replace

import numpy as np
import pytest

from dyrelu_pose.inspection.figures import draw_functions, draw_maps

from .conftest import PLAIN, SPATIAL


@pytest.fixture
def alone(collected):
    """Return a function that gives the record of a site for the first image alone, and that."""
    records, pictures = collected

    def first(name):
        record = records[name]
        arrays = {part: getattr(record, part)[:1] for part in ("pooled", "hidden", "a", "b")}
        lists = {part: getattr(record, part)[:1] for part in ("x", "y", "maps")}
        return replace(record, **arrays, **lists), pictures[:1]

    return first


@pytest.mark.parametrize("name", [PLAIN, SPATIAL])
def test_function_is_drawn_once_where_it_is_furthest_from_relu(name, alone):
    record, pictures = alone(name)
    functions, *beside = draw_functions(record, pictures).axes
    assert len(beside) == 1
    line, relu = functions.lines
    np.testing.assert_allclose(relu.get_ydata(), np.maximum(line.get_xdata(), 0))
    channel = int(functions.get_title(loc="left").removeprefix("Channel "))

    def distance(c):
        x = np.concatenate(record.x)[:, c]
        ends = min(np.percentile(x, 1), 0), max(np.percentile(x, 99), 0)
        grid = np.linspace(*ends, 33)
        a, b = (np.broadcast_to(v[0], (record.site.channels, 2))[c] for v in (record.a, record.b))
        y = (grid[:, None] * a + b).max(1)
        return np.square(y - np.maximum(grid, 0)).mean()

    assert channel == max(range(record.site.channels), key=distance)


def test_map_is_beside_its_picture(alone):
    record, pictures = alone(SPATIAL)
    figure = draw_maps(record, pictures)
    picture, over = (axes.get_subplotspec() for axes in figure.axes[:2])
    assert picture.rowspan == over.rowspan
    assert figure.get_figwidth() < draw_functions(record, pictures).get_figwidth()
