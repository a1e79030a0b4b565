"""Options of the Mamba backbones. No torch here."""

from __future__ import annotations

from math import ceil
from typing import Literal

from attrs import field, frozen, validators

from vall_e.plugin import ConfigError

_positive = validators.gt(0)
ScanName = Literal["auto", "torch", "kernels"]


@frozen
class MambaConfig:
    """Options of `mamba`."""

    d_model: int = field(default=256, validator=_positive)
    """Width of the residual stream."""
    layers: int = field(default=6, validator=_positive)
    state: int = field(default=16, validator=_positive)
    """State size of each channel."""
    expand: int = field(default=2, validator=_positive)
    """Channels inside a layer, as a multiple of `d_model`."""
    conv: int = field(default=4, validator=validators.ge(2))
    """Kernel size of the convolution before the scan."""
    time_rank: int = field(default=0, validator=validators.ge(0))
    """Rank of the matrix that gives each channel its step size; 0: d_model / 16."""
    norm_eps: float = field(default=1e-5, validator=validators.gt(0.0))
    scan: ScanName = "auto"
    """How the recurrence is computed without a cache: `kernels` of mamba-ssm, `torch`, or
    `auto`: the kernels on a GPU if they can be imported."""
    checkpointing: bool = False
    """Recompute each layer in the backward pass: less memory, about a third more time."""

    @property
    def inner(self) -> int:
        """Channels inside a layer."""
        return self.expand * self.d_model

    @property
    def rank(self) -> int:
        """Rank of the matrix of step sizes."""
        return self.time_rank or ceil(self.d_model / 16)


@frozen
class Mamba2Config:
    """Options of `mamba2`."""

    d_model: int = field(default=256, validator=_positive)
    """Width of the residual stream."""
    layers: int = field(default=6, validator=_positive)
    state: int = field(default=64, validator=_positive)
    """State size of each channel."""
    expand: int = field(default=2, validator=_positive)
    """Channels inside a layer, as a multiple of `d_model`."""
    head_size: int = field(default=64, validator=_positive)
    """Channels that share a step size; a divisor of expand x d_model."""
    groups: int = field(default=1, validator=_positive)
    """Sets of input and output vectors, each shared by heads / groups heads."""
    conv: int = field(default=4, validator=validators.ge(2))
    """Kernel size of the convolution before the scan."""
    norm_eps: float = field(default=1e-5, validator=validators.gt(0.0))
    scan: ScanName = "auto"
    """How the recurrence is computed without a cache: `kernels` of mamba-ssm, `torch`, or
    `auto`: the kernels on a GPU if they can be imported."""
    checkpointing: bool = False
    """Recompute each layer in the backward pass: less memory, about a third more time."""

    def __attrs_post_init__(self) -> None:
        if self.inner % self.head_size:
            raise ConfigError(
                f"mamba2: expand x d_model ({self.inner}) must be a multiple of head_size "
                f"({self.head_size})",
                hint=f"try head_size: {_nearest_divisor(self.inner, self.head_size)}",
            )
        if self.heads % self.groups:
            raise ConfigError(
                f"mamba2: {self.heads} heads must be a multiple of groups ({self.groups})",
                hint="set groups: 1",
            )

    @property
    def inner(self) -> int:
        """Channels inside a layer."""
        return self.expand * self.d_model

    @property
    def heads(self) -> int:
        """Heads in a layer."""
        return self.inner // self.head_size


def _nearest_divisor(whole: int, wanted: int) -> int:
    """The larger of two that are equally near."""
    divisors = (each for each in range(1, whole + 1) if whole % each == 0)
    return min(divisors, key=lambda each: (abs(each - wanted), -each))
