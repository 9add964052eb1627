"""Where the size of a model's input is found in its config."""

import pytest
from mmengine.config import Config

from dyrelu_pose.errors import UserError
from dyrelu_pose.models.input_size import decoder_input_size, input_size_of

CODEC = dict(input_size=(64, 48))


@pytest.mark.parametrize(
    "entries",
    [
        dict(model=CODEC),
        dict(model=dict(head=dict(decoder=CODEC))),
        dict(model={}, input_size=(64, 48)),
        dict(model={}, codec=CODEC),
        dict(model={}, codec=[CODEC, CODEC]),
    ],
    ids=["model", "decoder", "config", "codec", "two codecs"],
)
def test_input_size(entries):
    assert input_size_of(Config(entries)) == (64, 48)


def test_no_input_size_is_an_error():
    with pytest.raises(UserError, match="input size"):
        input_size_of(Config(dict(model={})))


@pytest.mark.parametrize("entries", [dict(model=dict(input_size=64)), dict(input_size=[64, "48"])])
def test_an_input_size_that_is_no_pair_is_named(entries):
    with pytest.raises(UserError, match="input_size is .*: it has to be"):
        input_size_of(Config(dict(model={}) | entries))


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (dict(decoder=[dict(type="A"), CODEC]), (64, 48)),
        (dict(heads=[dict(type="A"), dict(decoder=CODEC)]), (64, 48)),
        (dict(decoder=dict(input_size=[288, 384, 288])), (288, 384)),  # depth, in 3D
        (dict(decoder=None, input_size=(64, 48)), None),
        (None, None),
    ],
    ids=["list", "nested", "3D", "no decoder", "no head"],
)
def test_input_size_of_decoders(head, size):
    assert decoder_input_size(head) == size


@pytest.mark.parametrize("size", [7, "64x48", (64,), (64, 0), (64, 48.0), {}])
def test_a_decoders_size_that_is_none_is_named(size):
    with pytest.raises(UserError, match="decoder.input_size is .*: it has to be"):
        decoder_input_size(dict(decoder=dict(input_size=size)))
