"""The weights for inference, where they differ from those being trained.

An optimizer may train one set of weights and use their average (`Averaging`); a module may
compute with rounded ones (`Rounding`). The inference weights are validated and saved.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vall_e.interfaces.training import Averaging, Rounding
from vall_e.weights.sharded import divided


@contextmanager
def inference_weights(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> Iterator[dict[str, Tensor]]:
    """Within this context the model has its inference weights.

    Yields the training weights by name: none if they are the same. They are restored bit for bit.
    """
    averaging = optimizer if isinstance(optimizer, Averaging) else None
    rounding = [module for module in model.modules() if isinstance(module, Rounding)]
    if averaging is None and not rounding:
        yield {}
        return
    training_weights = {
        n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad
    }
    if averaging:
        averaging.eval()
    for module in rounding:
        module.settle()
    try:
        yield training_weights
    finally:
        for module in rounding:
            module.unsettle()
        if averaging:
            averaging.train()
        restore_training_weights(model, training_weights)


@torch.no_grad()
def restore_training_weights(model: nn.Module, training_weights: Mapping[str, Tensor]) -> None:
    """Restore the training weights."""
    parameters = dict(model.named_parameters())
    for name, tensor in training_weights.items():
        parameters[name].copy_(divided(tensor, like=parameters[name]))
