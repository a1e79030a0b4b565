"""Optimizers of torch, with weight decay for matrices only."""

from collections.abc import Iterable
from typing import Any

import torch
from torch.nn import Parameter

from vall_e.training.optimizers.options import (
    AdafactorConfig,
    AdagradConfig,
    AdamWConfig,
    SgdConfig,
)


def adamw(
    config: AdamWConfig, parameters: Iterable[tuple[str, Parameter]]
) -> torch.optim.Optimizer:
    """Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101."""
    return torch.optim.AdamW(
        groups(parameters, config.weight_decay),
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
    )


def sgd(config: SgdConfig, parameters: Iterable[tuple[str, Parameter]]) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        groups(parameters, config.weight_decay), lr=config.lr, momentum=config.momentum
    )


def adagrad(
    config: AdagradConfig, parameters: Iterable[tuple[str, Parameter]]
) -> torch.optim.Optimizer:
    """Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html."""
    return torch.optim.Adagrad(
        groups(parameters, config.weight_decay),
        lr=config.lr,
        lr_decay=config.lr_decay,
        eps=config.eps,
    )


def adafactor(
    config: AdafactorConfig, parameters: Iterable[tuple[str, Parameter]]
) -> torch.optim.Optimizer:
    """Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235."""
    return torch.optim.Adafactor(
        groups(parameters, config.weight_decay),
        lr=config.lr,
        beta2_decay=config.beta2_decay,
        d=config.clip,
    )


def groups(
    parameters: Iterable[tuple[str, Parameter]], weight_decay: float
) -> list[dict[str, Any]]:
    """Matrices with weight decay, then the rest without; frozen parameters are left out."""
    trained = [parameter for _, parameter in parameters if parameter.requires_grad]
    found = [
        {"params": [p for p in trained if decays(p)], "weight_decay": weight_decay},
        {"params": [p for p in trained if not decays(p)], "weight_decay": 0.0},
    ]
    return [group for group in found if group["params"]]


def decays(parameter: Parameter) -> bool:
    """Whether weight decay applies to it: it is a matrix that its module has not excluded.

    A module excludes one by setting the parameter's attribute `no_weight_decay` to true, for a
    matrix that is not a linear map: decay rates of a state space model, for example.
    """
    return parameter.ndim >= 2 and not getattr(parameter, "no_weight_decay", False)
