"""The weights that a model speaks with, where they are not those that it learns.

An optimizer may learn one set of weights and speak with their average (`Averaging`); a module may
compute with rounded ones (`Rounding`). What is validated and saved is what speaks.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vall_e.interfaces.training import Averaging, Rounding


@contextmanager
def spoken(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[dict[str, Tensor]]:
    """Within, the model has the weights that it speaks with.

    Gives those that it learns, by name: none where they are the same. They come back bit for bit.
    """
    averaging = optimizer if isinstance(optimizer, Averaging) else None
    rounding = [module for module in model.modules() if isinstance(module, Rounding)]
    if averaging is None and not rounding:
        yield {}
        return
    learnt = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    if averaging:
        averaging.eval()
    for module in rounding:
        module.settle()
    try:
        yield learnt
    finally:
        for module in rounding:
            module.unsettle()
        if averaging:
            averaging.train()
        put_back(model, learnt)


@torch.no_grad()
def put_back(model: nn.Module, learnt: Mapping[str, Tensor]) -> None:
    """Give the model the weights to learn on with."""
    parameters = dict(model.named_parameters())
    for name, tensor in learnt.items():
        parameters[name].copy_(tensor)
