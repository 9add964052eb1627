"""What the hooks keep is what the activations were given and returned."""

import numpy as np
import pytest
from torch import nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.inspection import choose_sites, collect, samples

from .conftest import FOLDED, KEPT, PLAIN, SPATIAL, load_with_sites


def test_input_is_kept_from_before_an_activation_in_place(collected):
    record = collected[0][KEPT]
    assert record.layer.inplace
    assert not record.dynamic
    assert len(record.x) == 5
    assert record.a is None
    assert not record.maps
    for x, y in zip(record.x, record.y, strict=True):
        assert (x < 0).any()
        np.testing.assert_array_equal(y, np.maximum(x, 0))


@pytest.mark.parametrize("name", [FOLDED, PLAIN])
def test_outputs_are_the_functions_of_their_image_and_channel(collected, name):
    record = collected[0][name]
    assert (record.layer._folded_norm() is not None) == (name == FOLDED)
    assert record.a.shape == record.b.shape == (5, record.site.channels, 2)
    assert record.a.std(0).min() > 1e-5  # follows the image
    for x, y, a, b in zip(record.x, record.y, record.a, record.b, strict=True):
        expected = (a * x[..., None] + b).max(-1)
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_pooled_input_is_the_mean_of_what_is_seen(collected):
    """Of small maps all positions are kept, so that their mean is the pooled input."""
    for name in (FOLDED, PLAIN):
        record = collected[0][name]
        assert len(record.x[0]) == record.site.size[0] * record.site.size[1]
        means = np.array([x.mean(0) for x in record.x])
        np.testing.assert_allclose(record.pooled, means, rtol=1e-4, atol=1e-5)


def test_map_of_c_multiplies_the_output(collected):
    record = collected[0][SPATIAL]
    assert [m.shape for m in record.maps] == [record.site.size] * 5
    for x, y, a, b, m in zip(record.x, record.y, record.a, record.b, record.maps, strict=True):
        before = (a * x[..., None] + b).max(-1)
        np.testing.assert_allclose(y.sum(0) * 3, before.sum(0), rtol=0.5)  # the map is near 1/3
        # Positions were shuffled, so the values of the map are compared in order.
        factors = (y / before)[np.arange(len(y)), np.abs(before).argmax(1)]
        np.testing.assert_allclose(np.sort(factors), np.sort(m.ravel()), rtol=1e-3)


def test_pictures_are_the_inputs_in_rgb(collected):
    red, *_ = collected[1]
    assert red.name == "0.png"
    assert red.pixels.shape == (128, 64, 3)
    np.testing.assert_array_equal(red.pixels[64, 32], (255, 0, 0))
    np.testing.assert_array_equal(red.pixels[2, 32], 0)  # letterboxed


def test_only_chosen_sites_are_sampled_and_no_hook_stays(cfg, checkpoint, pictures):
    model, sites = load_with_sites(cfg, checkpoint)
    chosen = choose_sites(model, sites, [PLAIN])
    records, _ = collect(model, sites, chosen, samples(cfg, [pictures], 2))
    assert [record.site.name for record in records if record.x] == [PLAIN]
    assert {r.site.name for r in records} == {s.name for s in sites} - {KEPT}
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_batches_of_no_images_are_refused():
    with pytest.raises(UserError, match="batches of 0 images: take at least 1"):
        collect(nn.Identity(), (), (), (), batch_size=0)
