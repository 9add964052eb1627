"""Trainings whose weights are shared out among the processes (FSDP)."""

import torch
from mmengine._strategy import FSDPStrategy as MMEngineFSDPStrategy
from mmengine.dist import is_distributed
from mmengine.registry import STRATEGIES
from torch.distributed.fsdp import (
    FullOptimStateDictConfig,
    FullStateDictConfig,
    FullyShardedDataParallel,
    StateDictType,
)

from dyrelu_pose.errors import UserError


@STRATEGIES.register_module(force=True)
class FSDPStrategy(MMEngineFSDPStrategy):
    """MMEngine's FSDPStrategy, except that it can resume, saves whole checkpoints and runs on CPUs.

    A config names it with `runner_type="FlexibleRunner", strategy=dict(type="FSDPStrategy")`. The
    checkpoints are those of any other training: one file, for any number of processes, for
    `tools/test.py` and for export. It takes its name in the registry, so that every config has it.

    Args:
        model_wrapper: Arguments of MMEngine's MMFullyShardedDataParallel.
        state_dict_cfg: "full", the only one; MMEngine's own is "local".
        **kwargs: As MMEngine's.

    Raises:
        UserError: `state_dict_cfg` is another one, `model_wrapper` has an `auto_wrap_policy`, or
            there is a single process without launcher.
    """

    def __init__(
        self, *, model_wrapper: dict | None = None, state_dict_cfg: str = "full", **kwargs
    ) -> None:
        if state_dict_cfg != "full":
            raise UserError(
                f"strategy.state_dict_cfg={state_dict_cfg!r} would save a folder of parts that "
                'only as many processes can read: leave it out, or write "full"'
            )
        if (model_wrapper or {}).get("auto_wrap_policy") is not None:
            raise UserError(
                "strategy.model_wrapper.auto_wrap_policy would share out layers one by one, but a "
                "block with DyReLU may use the weights of its layers without calling them: leave "
                "it out, and the model is shared out as one"
            )
        wrapper = {"type": "MMFullyShardedDataParallel", **(model_wrapper or {})}
        if not torch.cuda.is_available():
            wrapper["device_id"] = torch.device("cpu")
        super().__init__(model_wrapper=wrapper, state_dict_cfg=state_dict_cfg, **kwargs)
        if not is_distributed():
            raise UserError(
                "strategy=dict(type='FSDPStrategy') shares the weights out among processes: start "
                "them by torchrun with --launcher pytorch, or leave strategy and runner_type out"
            )

    def optim_state_dict(self) -> dict:
        """Return the whole optimizer's state, by names of parameters; empty but in rank 0."""
        state = super().optim_state_dict()
        if state:
            state["base_param_settings"] = self.optim_wrapper.base_param_settings
        return state

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """Load the whole optimizer's state, of which each process takes its part.

        Args:
            state_dict: What `optim_state_dict()` of a training gave, by names of parameters.
        """
        # MMEngine 0.10.7 passes these in an order that PyTorch had before 2.1.
        part = FullyShardedDataParallel.optim_state_dict_to_load(
            model=self.model, optim=self.optim_wrapper.optimizer, optim_state_dict=state_dict
        )
        part["base_param_settings"] = state_dict["base_param_settings"]
        self.optim_wrapper.load_state_dict(part)

    def _init_state_dict_cfg(self, state_dict_cfg: str) -> None:
        self.state_dict_type = StateDictType.FULL_STATE_DICT
        # On a CPU there is nothing to offload from, and PyTorch would free what it still reads.
        where = dict(rank0_only=True, offload_to_cpu=torch.cuda.is_available())
        self.state_dict_config = FullStateDictConfig(**where)
        self.optim_state_dict_config = FullOptimStateDictConfig(**where)
