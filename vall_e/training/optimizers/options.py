"""Options of the built-in optimizers. No torch here."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen, validators

fraction: Any = [validators.ge(0), validators.lt(1)]
positive: Any = validators.gt(0)
not_negative: Any = validators.ge(0)


def _none_or_over_1(instance: object, attribute: object, value: float) -> None:
    if value and not value > 1:
        raise ValueError(f"must be 0 or more than 1: {value}")


@frozen
class AdagradConfig:
    lr: float = field(default=1e-2, validator=positive)
    """Learning rate, multiplied by the schedule's factor."""
    lr_decay: float = field(default=0.0, validator=not_negative)
    """Learning rate decay: the rate is divided by 1 + this * steps."""
    eps: float = field(default=1e-10, validator=positive)
    weight_decay: float = field(default=0.0, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class AdafactorConfig:
    lr: float = field(default=1e-2, validator=positive)
    """Learning rate relative to the size of the weights, multiplied by the schedule's factor."""
    beta2_decay: float = field(default=-0.8, validator=validators.lt(0))
    """The decay rate of the second moment at step n is 1 - n ** this."""
    clip: float = field(default=1.0, validator=positive)
    """Updates with a larger root mean square are scaled down to it."""
    weight_decay: float = field(default=0.0, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class ProdigyConfig:
    lr: float = field(default=1.0, validator=positive)
    """Factor on the rate that the optimizer finds itself; leave it at 1."""
    coefficient: float = field(default=1.0, validator=positive)
    """Coefficient of the estimated rate: 0.5 to 2 are usual."""
    first: float = field(default=1e-6, validator=positive)
    """Initial estimate of the distance (d0). It only grows."""
    growth: float = field(default=0.0, validator=_none_or_over_1)
    """Largest growth of the estimate per step: 1.02 acts like a warm-up. 0: no limit."""
    beta1: float = field(default=0.9, validator=fraction)
    """Decay rate of the first moment (beta1)."""
    beta2: float = field(default=0.999, validator=fraction)
    """Decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""
    bias_correction: bool = True
    """Adam's bias correction of the moments in the first steps."""
    safeguard_warmup: bool = True
    """Safeguard for warm-up: its low rates do not affect the distance estimate. Set it with one."""


@frozen
class DAdaptationConfig:
    lr: float = field(default=1.0, validator=positive)
    """Factor on the rate that the optimizer finds itself; leave it at 1."""
    first: float = field(default=1e-6, validator=positive)
    """Initial estimate of the distance (d0). It only grows."""
    growth: float = field(default=0.0, validator=_none_or_over_1)
    """Largest growth of the estimate per step: 1.02 acts like a warm-up. 0: no limit."""
    beta1: float = field(default=0.9, validator=fraction)
    """Decay rate of the first moment (beta1)."""
    beta2: float = field(default=0.999, validator=fraction)
    """Decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class ScheduleFreeAdamWConfig:
    lr: float = field(default=2.5e-3, validator=positive)
    """Learning rate; use it with the schedule `constant`."""
    beta1: float = field(default=0.9, validator=[validators.gt(0), validators.lt(1)])
    """Interpolation between average and newest weights, where the gradient is taken (beta1)."""
    beta2: float = field(default=0.999, validator=fraction)
    """Decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""
    warmup_steps: int = field(default=300, validator=not_negative)
    """Steps over which the rate rises linearly."""


@frozen
class ScheduleFreeSgdConfig:
    lr: float = field(default=1.0, validator=positive)
    """Learning rate; use it with the schedule `constant`."""
    momentum: float = field(default=0.9, validator=[validators.gt(0), validators.lt(1)])
    """Interpolation between average and newest weights, where the gradient is taken."""
    weight_decay: float = field(default=0.0, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""
    warmup_steps: int = field(default=300, validator=not_negative)
    """Steps over which the rate rises linearly."""


@frozen
class MuonConfig:
    lr: float = field(default=1e-3, validator=positive)
    """Learning rate, multiplied by the schedule's factor. Updates of matrices are scaled to the
    size of AdamW's, so one rate serves both."""
    momentum: float = field(default=0.95, validator=fraction)
    """Momentum of matrices."""
    iterations: int = field(default=5, validator=positive)
    """Newton-Schulz iterations, which make the update orthogonal."""
    rest: tuple[str, ...] = ("embedding.*", "heads.*")
    """Matrices that AdamW trains, by name; `*` matches any part. AdamW also trains all vectors."""
    beta1: float = field(default=0.9, validator=fraction)
    """AdamW: decay rate of the first moment (beta1)."""
    beta2: float = field(default=0.95, validator=fraction)
    """AdamW: decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.1, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class AdamW8bitConfig:
    lr: float = field(default=1e-3, validator=positive)
    """Learning rate, multiplied by the schedule's factor."""
    beta1: float = field(default=0.9, validator=fraction)
    """Decay rate of the first moment (beta1)."""
    beta2: float = field(default=0.98, validator=fraction)
    """Decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""
    smallest: int = field(default=4096, validator=positive)
    """Tensors with fewer elements keep a 32-bit state."""


@frozen
class AdamWConfig:
    lr: float = field(default=1e-3, validator=validators.gt(0))
    """Learning rate, multiplied by the schedule's factor."""
    beta1: float = field(default=0.9, validator=[validators.ge(0), validators.lt(1)])
    """Decay rate of the first moment (beta1)."""
    beta2: float = field(default=0.98, validator=[validators.ge(0), validators.lt(1)])
    """Decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-8, validator=validators.gt(0))
    weight_decay: float = field(default=0.01, validator=validators.ge(0))
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class SgdConfig:
    lr: float = field(default=0.1, validator=validators.gt(0))
    """Learning rate, multiplied by the schedule's factor."""
    momentum: float = field(default=0.9, validator=[validators.ge(0), validators.lt(1)])
    weight_decay: float = field(default=0.0, validator=validators.ge(0))
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""
