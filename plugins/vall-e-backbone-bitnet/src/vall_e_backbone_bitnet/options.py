"""Options of the BitNet backbone and exporters. No torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

from vall_e.plugin import ConfigError
from vall_e_backbones.options import LlamaConfig


@frozen
class BitNetConfig(LlamaConfig):
    """Options of `bitnet`: those of `llama`, and what its linear layers are."""

    linear: Literal["absmean", "package"] = "absmean"
    """Weights of -1, 0 and 1 as in the paper; or the layers of the package `bitnet`."""
    packed: bool = False
    """Hold two bits a weight, as the exporter `bitnet` writes it. Such a model does not learn."""

    def __attrs_post_init__(self) -> None:
        LlamaConfig.__attrs_post_init__(self)  # attrs makes the class anew: no super()
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
    """How far weights are rounded: 0 not at all, 1 to -1, 0 and 1 times one number."""
    include: tuple[str, ...] = field(default=("*",), validator=validators.min_len(1))
    """Patterns of linear layers of the backbone, like `layers.*.mlp.*`."""
