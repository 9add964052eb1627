"""A loss that is not finite stops the training, and the message says where that begins."""

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from dyrelu_pose.engine.non_finite import NonFiniteLossError, NonFiniteLossHook, find_origin

SITE = "backbone.layer2.0.relu1"


class Runner:
    """As much of MMEngine's runner as the hook reads."""

    iter = 6
    work_dir = "work_dirs/run"

    def __init__(self, model):
        self.model = model
        self.optim_wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(Config.fromfile("configs/demo/dyrelu_resnet18.py").model).train()


@pytest.fixture
def batch():
    from mmengine.structures import InstanceData, PixelData

    samples = []
    for _ in range(2):
        sample = PoseDataSample()
        sample.gt_fields = PixelData(heatmaps=torch.rand(17, 32, 24))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 17))
        samples.append(sample)
    return dict(inputs=[torch.zeros(3, 128, 96, dtype=torch.uint8)] * 2, data_samples=samples)


def step(model, batch):
    runner, hook = Runner(model), NonFiniteLossHook()
    hook.before_train(runner)
    hook.before_train_iter(runner, 0, batch)
    return model.train_step(batch, runner.optim_wrapper)


def test_finite_losses_update_the_weights_as_before(model, batch):
    before = model.head.final_layer.weight.clone()
    step(model, batch)
    assert (model.head.final_layer.weight != before).any()


def test_a_loss_that_is_not_finite_leaves_the_weights_alone(model, batch):
    batch["data_samples"][1].gt_fields.heatmaps[3] = float("nan")
    before = {name: value.clone() for name, value in model.named_parameters()}
    with pytest.raises(NonFiniteLossError, match="loss of iteration 7 is nan: loss_kpt is not fin"):
        step(model, batch)
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]), name


def test_the_first_site_with_a_fault_is_named(model, batch):
    site = model.get_submodule(SITE)
    with torch.no_grad():
        model.backbone.layer2[0].bn1.bias.fill_(10)  # 10 times the largest number: infinity
        site.fc1.weight.fill_(3e38)
        site.fc2.weight[5, ::2], site.fc2.weight[5, 1::2] = 1, -1  # infinity less infinity
    message = find_origin(model, batch)
    assert message.startswith(f"it begins at {SITE} (DyReLUB, ")
    assert "whose slopes are not finite, " in message


def test_what_comes_into_a_site_is_told_from_what_it_makes(model, batch):
    convolution = model.backbone.layer2[0].bn1  # in front of SITE
    with torch.no_grad():
        convolution.weight.fill_(3e38)
        convolution.bias.fill_(3e38)
    message = find_origin(model, batch)
    assert message.startswith(f"it begins in front of {SITE} (DyReLUB, ")


def test_weights_and_images_are_looked_at_first(model, batch):
    batch["inputs"] = [torch.full((3, 128, 96), float("inf"))] * 2
    assert find_origin(model, batch).startswith("the images are not finite, ")
    with torch.no_grad():
        model.backbone.conv1.weight[0] = float("nan")
    assert find_origin(model, batch) == (
        "the weights are not finite any more: backbone.conv1.weight"
    )
