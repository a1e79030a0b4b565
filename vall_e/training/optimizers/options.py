"""Options of the optimizers, as YAML names them. No torch here."""

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
    """Learning rate, before the schedule's factor."""
    lr_decay: float = field(default=0.0, validator=not_negative)
    """The rate is divided by 1 + this for each step done."""
    eps: float = field(default=1e-10, validator=positive)
    weight_decay: float = field(default=0.0, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""


@frozen
class AdafactorConfig:
    lr: float = field(default=1e-2, validator=positive)
    """Learning rate, before the schedule's factor: a share of the size of the weights."""
    beta2_decay: float = field(default=-0.8, validator=validators.lt(0))
    """The memory of the gradient's square at step n is 1 - n ** this."""
    clip: float = field(default=1.0, validator=positive)
    """Updates with a greater root mean square are scaled down to it."""
    weight_decay: float = field(default=0.0, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""


@frozen
class ProdigyConfig:
    lr: float = field(default=1.0, validator=positive)
    """Factor on the rate that it finds itself; leave it at 1."""
    coefficient: float = field(default=1.0, validator=positive)
    """Times the rate that it finds: 0.5 to 2 are usual."""
    first: float = field(default=1e-6, validator=positive)
    """The distance to start from. It only grows."""
    growth: float = field(default=0.0, validator=_none_or_over_1)
    """At most so many times further with each step: 1.02 is like a warm-up. 0: no limit."""
    beta1: float = field(default=0.9, validator=fraction)
    """Memory of the gradient's mean."""
    beta2: float = field(default=0.999, validator=fraction)
    """Memory of the gradient's square."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""
    bias_correction: bool = True
    """As Adam has it, for the means of the first steps."""
    safeguard_warmup: bool = True
    """The schedule's rise does not count in the distance: set it with a warm-up."""


@frozen
class DAdaptationConfig:
    lr: float = field(default=1.0, validator=positive)
    """Factor on the rate that it finds itself; leave it at 1."""
    first: float = field(default=1e-6, validator=positive)
    """The distance to start from. It only grows."""
    growth: float = field(default=0.0, validator=_none_or_over_1)
    """At most so many times further with each step: 1.02 is like a warm-up. 0: no limit."""
    beta1: float = field(default=0.9, validator=fraction)
    """Memory of the gradient's mean."""
    beta2: float = field(default=0.999, validator=fraction)
    """Memory of the gradient's square."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""


@frozen
class ScheduleFreeAdamWConfig:
    lr: float = field(default=2.5e-3, validator=positive)
    """Learning rate; take the schedule `constant` with it."""
    beta1: float = field(default=0.9, validator=[validators.gt(0), validators.lt(1)])
    """How near to the average the gradient is taken."""
    beta2: float = field(default=0.999, validator=fraction)
    """Memory of the gradient's square."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""
    warmup_steps: int = field(default=300, validator=not_negative)
    """Steps over which the rate rises linearly."""


@frozen
class ScheduleFreeSgdConfig:
    lr: float = field(default=1.0, validator=positive)
    """Learning rate; take the schedule `constant` with it."""
    momentum: float = field(default=0.9, validator=[validators.gt(0), validators.lt(1)])
    """How near to the average the gradient is taken."""
    weight_decay: float = field(default=0.0, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""
    warmup_steps: int = field(default=300, validator=not_negative)
    """Steps over which the rate rises linearly."""


@frozen
class MuonConfig:
    lr: float = field(default=1e-3, validator=positive)
    """Learning rate, before the schedule's factor. Updates of matrices are scaled to be as large as
    those of AdamW, so one rate serves both."""
    momentum: float = field(default=0.95, validator=fraction)
    """Memory of a matrix' gradient."""
    iterations: int = field(default=5, validator=positive)
    """Of Newton and Schulz, which make the update orthogonal."""
    rest: tuple[str, ...] = ("embedding.*", "heads.*")
    """Matrices that AdamW trains too, by name; `*` stands for any part. Vectors are AdamW's."""
    beta1: float = field(default=0.9, validator=fraction)
    """Of AdamW: memory of the gradient's mean."""
    beta2: float = field(default=0.95, validator=fraction)
    """Of AdamW: memory of the gradient's square."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.1, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""


@frozen
class AdamW8bitConfig:
    lr: float = field(default=1e-3, validator=positive)
    """Learning rate, before the schedule's factor."""
    beta1: float = field(default=0.9, validator=fraction)
    """Memory of the gradient's mean."""
    beta2: float = field(default=0.98, validator=fraction)
    """Memory of the gradient's square."""
    eps: float = field(default=1e-8, validator=positive)
    weight_decay: float = field(default=0.01, validator=not_negative)
    """Of matrices; vectors (norms, biases) are left alone."""
    smallest: int = field(default=4096, validator=positive)
    """Tensors of fewer numbers keep a state of 32 bits."""
