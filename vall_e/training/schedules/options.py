"""Options of the built-in schedules. No torch here."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators

factor: Any = [validators.ge(0), validators.le(1)]


@frozen
class OneCycleConfig:
    rise: float = field(default=0.3, validator=factor)
    """Share of the run over which the factor rises to 1."""
    first: float = field(default=0.04, validator=[validators.gt(0), validators.le(1)])
    """Factor at the first step."""
    final: float = field(default=1e-4, validator=factor)
    """Factor at the last step."""


@frozen
class NoamConfig:
    warmup_steps: int = field(default=4000, validator=validators.gt(0))
    """Steps over which the factor rises linearly to 1; then it falls as 1 / sqrt(step)."""


@frozen
class WsdConfig:
    warmup_steps: int = field(default=300, validator=validators.ge(0))
    """Steps over which the factor rises linearly to 1; it then stays there."""
    decay: float = field(default=0.2, validator=factor)
    """Share of the run, at its end, over which the factor falls."""
    final: float = field(default=0.0, validator=factor)
    """Factor at the last step."""
    shape: Literal["sqrt", "linear"] = "sqrt"
    """Shape of the decay: `sqrt` falls fast at first and slowly later, `linear` evenly."""


@frozen
class ConstantConfig:
    """No options: the factor is always 1."""


@frozen
class WarmupConfig:
    warmup_steps: int = field(default=300, validator=validators.ge(0))
    """Steps over which the factor rises linearly to 1; it then stays there."""


@frozen
class CosineConfig:
    warmup_steps: int = field(default=300, validator=validators.ge(0))
    """Steps over which the factor rises linearly to 1."""
    final: float = field(default=0.05, validator=[validators.ge(0), validators.le(1)])
    """Factor at the last step, at the end of the cosine."""
