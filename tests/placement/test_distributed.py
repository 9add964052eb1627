"""Two processes with half a batch each take the step that one takes with the whole batch."""

import copy

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from dyrelu_pose.placement import place


def take_step(model, images):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(images, None, mode="tensor").square().mean().backward()
    optimizer.step()


def take_part(rank, model, images, folder):
    dist.init_process_group("gloo", f"file://{folder}/init", rank=rank, world_size=2)
    torch.set_num_threads(1)
    model = copy.deepcopy(model)  # spawned processes share the memory of what they are given
    take_step(DistributedDataParallel(model), images.chunk(2)[rank])
    torch.save(model.state_dict(), f"{folder}/{rank}.pth")
    dist.destroy_process_group()


def test_ddp_step_equals_single_process_step(build, images, input_size, tmp_path):
    model = build("hrnet").double()
    place(model, [dict(sites="*", act=dict(type="DyReLUB", init="default"))], input_size)
    model.eval()  # batch statistics would differ between a half and a whole batch
    start = copy.deepcopy(model.state_dict())
    # Spawned processes get the model pickled, so that has to work as well.
    mp.spawn(take_part, (model, images.double(), str(tmp_path)), nprocs=2)

    take_step(model, images.double())
    for rank in (0, 1):
        ours = torch.load(tmp_path / f"{rank}.pth")
        torch.testing.assert_close(ours, dict(model.state_dict()), rtol=1e-9, atol=1e-12)
    moved = [key for key in start if not torch.equal(start[key], ours[key])]
    assert any("relu2.fc1.weight" in key for key in moved)
