"""What no backward pass here has; apart because those of `triton_kernels/` refuse it as well."""

import torch


def refuse_second_derivative() -> None:
    """Raise if autograd is recording a backward pass, which is not differentiable itself."""
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        raise RuntimeError(
            "dyrelu has no second derivative: call backward without create_graph=True, or use "
            "backend='reference', which autograd differentiates any number of times"
        )
