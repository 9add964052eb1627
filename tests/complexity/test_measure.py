"""Parameters, multiply-adds and kept memory of small models, against numbers worked out by hand."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from dyrelu_pose.complexity import Complexity, measure
from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLUA, DyReLUB, DyReLUC, Maxout, SEReLU

SIZE = (5, 6)  # 30 positions
FLOAT = 4  # bytes


def behind_a_conv(*layers):
    """A 3x3 convolution 3 -> 8, and what follows it: 216 parameters, 216 x 30 multiply-adds."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), *layers)


class NeedsValues(nn.Module):
    """Passes images on, but for a look at their values, which the meta device has not."""

    def forward(self, images):
        assert images.sum().item() == 0
        return images


IMAGE, MAP = 3 * 30 * FLOAT, 8 * 30 * FLOAT  # bytes; the convolution keeps the image
CONV = Complexity(params=216, madds=6480, activations=IMAGE)

CASES = {
    # (model, parameters, multiply-adds, bytes kept) beyond the convolution
    "conv alone": ([], 0, 0, 0),
    # keeps its input and nothing else per image; 8 weights and 8 biases
    "norm": ([nn.BatchNorm2d(8)], 16, 0, MAP),
    "relu keeps its output": ([nn.ReLU()], 0, 0, MAP),
    # the norm's input and the one map that ReLU overwrites
    "norm, relu in place": ([nn.BatchNorm2d(8), nn.ReLU(inplace=True)], 16, 0, 2 * MAP),
    # ReLU's output is the input of the convolution: kept once
    "shared": ([nn.ReLU(), nn.Conv2d(8, 2, 1)], 18, 16 * 30, MAP),
    # groups: 9 products per element
    "depthwise": ([nn.Conv2d(8, 8, 3, padding=1, groups=8)], 80, 9 * 240, MAP),
    # every input element meets 8 x 4 x 4 weights
    "transposed": ([nn.ConvTranspose2d(8, 8, 4, 2, 1, bias=False)], 1024, 240 * 128, MAP),
    # on a last axis of 5: 48 rows times 5 x 7
    "linear": ([nn.Linear(5, 7)], 42, 48 * 35, MAP),
    # FC1 8 -> 2, FC2 2 -> 32 with biases; 720 = (pooling + K) x 240
    # kept: x; s, hidden, delta and coef
    "DyReLU-B": ([DyReLUB(8, reduction=4)], 18 + 96, 80 + 720, MAP + (8 + 2 + 32 + 32) * FLOAT),
    "DyReLU-A": ([DyReLUA(8, reduction=4)], 18 + 12, 24 + 720, MAP + (8 + 2 + 4 + 4) * FLOAT),
    # one weight per channel; 600 for the map; kept: also the map
    "DyReLU-C": (
        [DyReLUC(8, reduction=4)], 18 + 96 + 8, 80 + 720 + 600, MAP + (74 + 30) * FLOAT,
    ),
    # kept: x, the product, of which ReLU keeps its output; s, hidden and the gate
    "SE + ReLU": ([SEReLU(8, reduction=4)], 18 + 24, 32 + 480, 2 * MAP + (8 + 2 + 8) * FLOAT),
}  # fmt: skip


@pytest.mark.parametrize("look", [nn.Identity(), NeedsValues()], ids=["meta", "cpu"])
@pytest.mark.parametrize("case", CASES)
def test_by_hand(case, look):
    layers, params, madds, kept = CASES[case]
    found = measure(nn.Sequential(look, behind_a_conv(*layers)), SIZE)
    expected = (CONV.params + params, CONV.madds + madds, CONV.activations + kept)
    assert (found.params, found.madds, found.activations) == expected


@pytest.mark.parametrize("backend", ["eager", "compile", "numba", "triton"])
def test_backends_cost_the_same(backend):
    layers = [DyReLUC(8, reduction=4, backend=backend)]
    _, params, madds, kept = CASES["DyReLU-C"]
    assert measure(behind_a_conv(*layers), SIZE) == Complexity(
        CONV.params + params, CONV.madds + madds, CONV.activations + kept
    )


def test_reference_keeps_its_branches():
    eager, reference = (
        measure(behind_a_conv(DyReLUB(8, backend=name)), SIZE) for name in ("eager", "reference")
    )
    assert reference.madds == eager.madds
    assert reference.activations > eager.activations + MAP


def test_folded_norm_is_free_and_keeps_one_map_less():
    apart, folded = (behind_a_conv(nn.BatchNorm2d(8), DyReLUB(8, reduction=4)) for _ in range(2))
    folded[2].fold_norm(folded, "1")
    apart, folded = measure(apart, SIZE), measure(folded, SIZE)
    assert (folded.params, folded.madds) == (apart.params, apart.madds)
    assert apart.activations - folded.activations == pytest.approx(MAP, abs=MAP / 2)


class Residual(nn.Sequential):
    """A norm, whose output the input is added to, and an activation."""

    def forward(self, x):
        norm, act = self
        return act(norm(x) + x)


def test_folded_sum_is_free_and_keeps_one_map_less():
    apart, folded = (
        behind_a_conv(Residual(nn.BatchNorm2d(8), DyReLUB(8, reduction=4)), nn.Conv2d(8, 2, 1))
        for _ in range(2)
    )
    folded[1][1].fold_sum((folded[1], "0"))
    apart, folded = measure(apart, SIZE), measure(folded, SIZE)
    assert (folded.params, folded.madds) == (apart.params, apart.madds)
    assert apart.activations - folded.activations == pytest.approx(MAP, abs=MAP / 2)


def test_maxout_convolutions_count_once():
    found = measure(behind_a_conv(Maxout(8, k=3)), SIZE)
    assert found.madds == CONV.madds + 3 * 64 * 30


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_attention_counts_with_its_products(device):
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = nn.Identity() if device == "meta" else NeedsValues()
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, images):
            tokens = self.look(images)[:, :1].expand(-1, 4, -1, -1).flatten(2).mT  # (N, 30, 4)
            return self.attention(tokens, tokens, tokens)[0]

    # 30 tokens of width 4: four projections, then scores and weighted sum over 30 x 30 pairs
    assert measure(Tokens(), SIZE).madds == 4 * 30 * 16 + 2 * 900 * 4


def test_norm_of_a_single_value_per_channel():
    # One image alone could not be trained on.
    model = behind_a_conv(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(8))
    assert measure(model, SIZE).activations == IMAGE + 8 * FLOAT


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # in evaluation
def test_checkpointing_keeps_less():
    class Block(nn.Module):
        def __init__(self, checkpointed):
            super().__init__()
            self.first = nn.Conv2d(3, 8, 1)
            self.layers = nn.Sequential(*(nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 1))) * 3)
            self.checkpointed = checkpointed

        def forward(self, x):
            x = self.first(x)
            if self.checkpointed:
                return checkpoint(self.layers, x, use_reentrant=True)
            return self.layers(x)

    plain, checkpointed = (measure(Block(flag), SIZE) for flag in (False, True))
    assert checkpointed.madds == plain.madds
    assert plain.activations == IMAGE + 3 * MAP
    assert checkpointed.activations == IMAGE + MAP


def test_falls_back_to_a_device_with_values():
    assert measure(nn.Sequential(NeedsValues(), behind_a_conv()), SIZE) == CONV


def test_forward_says_how_to_run():
    model = nn.ModuleDict({"conv": behind_a_conv()})
    assert measure(model, SIZE, lambda model, images: model["conv"](images)) == CONV


def test_leaves_the_model_and_the_random_state_alone():
    look = NeedsValues()  # on the CPU, where dropout draws numbers
    model = behind_a_conv(nn.BatchNorm2d(8), nn.Dropout(), DyReLUB(8)).insert(0, look).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    measure(model, SIZE)
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    assert "forward" not in vars(model[4])
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_failure_names_model_size_and_cause():
    with pytest.raises(UserError, match=r"Sequential cannot be measured: .* 5x6 .*RuntimeError"):
        measure(behind_a_conv(nn.Conv2d(9, 9, 1)), SIZE)
