"""Options of the BitNet backbone and exporters. No torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

from vall_e.plugin import ConfigError
from vall_e_backbones.options import LlamaConfig


@frozen
class BitNetConfig(LlamaConfig):
    """Options of `bitnet`: those of `llama`, and the kind of its linear layers."""

    linear: Literal["absmean", "package"] = "absmean"
    """Weights of -1, 0 and 1 as in the paper; or the layers of the package `bitnet`."""
    packed: bool = False
    """Hold two bits per weight, as the exporter `bitnet` writes it. Cannot be trained."""

    def __attrs_post_init__(self) -> None:
        LlamaConfig.__attrs_post_init__(self)  # attrs creates a new class: no super()
        if self.packed and self.linear == "package":
            raise ConfigError(
                "bitnet: the layers of the package bitnet cannot be packed",
                hint="set packed: false, or linear: absmean",
            )


@frozen
class PackedConfig:
    """No options."""


@frozen
class TernaryConfig:
    """Options of the wrapper `bitnet`."""

    strength: float = field(default=1.0, validator=[validators.ge(0), validators.le(1)])
    """Degree of quantization: 0 for none, 1 for -1, 0 and 1 times one scale."""
    include: tuple[str, ...] = field(default=("*",), validator=validators.min_len(1))
    """Patterns of linear layers of the backbone, like `layers.*.mlp.*`."""
