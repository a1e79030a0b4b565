"""Optimizers of other packages."""

import math
from collections.abc import Iterable

import torch
from torch.nn import Parameter

from vall_e.training.optimizers.options import (
    AdamW8bitConfig,
    DAdaptationConfig,
    ProdigyConfig,
    ScheduleFreeAdamWConfig,
    ScheduleFreeSgdConfig,
)
from vall_e.training.optimizers.torch_optimizers import groups
from vall_e.training.optional_imports import package

Named = Iterable[tuple[str, Parameter]]
OPTIMIZERS = "vall-e[optimizers]"


def prodigy(config: ProdigyConfig, parameters: Named) -> torch.optim.Optimizer:
    """Mishchenko and Defazio 2023, https://arxiv.org/abs/2306.06101."""
    kind = package("prodigyopt", needed_by="prodigy", install=OPTIMIZERS).Prodigy
    made: torch.optim.Optimizer = kind(
        groups(parameters, config.weight_decay),
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        d0=config.first,
        d_coef=config.coefficient,
        growth_rate=config.growth or math.inf,
        use_bias_correction=config.bias_correction,
        safeguard_warmup=config.safeguard_warmup,
    )
    return made


def dadaptation(config: DAdaptationConfig, parameters: Named) -> torch.optim.Optimizer:
    """Defazio and Mishchenko 2023, https://arxiv.org/abs/2301.07733."""
    kind = package("dadaptation", needed_by="dadaptation", install=OPTIMIZERS).DAdaptAdam
    decoupled = [
        {**group, "decouple": True}  # as an argument of the class it would print a message
        for group in groups(parameters, config.weight_decay)
    ]
    made: torch.optim.Optimizer = kind(
        decoupled,
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        d0=config.first,
        growth_rate=config.growth or math.inf,
    )
    return made


def schedule_free_adamw(
    config: ScheduleFreeAdamWConfig, parameters: Named
) -> torch.optim.Optimizer:
    """Defazio et al. 2024, https://arxiv.org/abs/2405.15682."""
    module = package("schedulefree", needed_by="schedule-free-adamw", install=OPTIMIZERS)
    made: torch.optim.Optimizer = module.AdamWScheduleFree(
        groups(parameters, config.weight_decay),
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        warmup_steps=config.warmup_steps,
    )
    return _training(made)


def schedule_free_sgd(config: ScheduleFreeSgdConfig, parameters: Named) -> torch.optim.Optimizer:
    """Defazio et al. 2024, https://arxiv.org/abs/2405.15682."""
    module = package("schedulefree", needed_by="schedule-free-sgd", install=OPTIMIZERS)
    made: torch.optim.Optimizer = module.SGDScheduleFree(
        groups(parameters, config.weight_decay),
        lr=config.lr,
        momentum=config.momentum,
        warmup_steps=config.warmup_steps,
    )
    return _training(made)


def adamw_8bit(config: AdamW8bitConfig, parameters: Named) -> torch.optim.Optimizer:
    """Dettmers et al. 2021, https://arxiv.org/abs/2110.02861."""
    module = package("bitsandbytes.optim", needed_by="adamw-8bit", install="vall-e[bitsandbytes]")
    made: torch.optim.Optimizer = module.AdamW8bit(
        groups(parameters, config.weight_decay),
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        min_8bit_size=config.smallest,
    )
    return made


def _training(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Switch to training state, which the loop expects between validations."""
    optimizer.train()  # type: ignore[attr-defined]
    return optimizer
