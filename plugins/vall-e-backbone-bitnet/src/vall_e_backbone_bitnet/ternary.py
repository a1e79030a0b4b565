"""Ternary weights in the linear layers of any backbone."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from vall_e.plugin import ConfigError
from vall_e_backbone_bitnet.linear import rounded, straight_through, times


def ternary(model: nn.Module, *, strength: float, include: Sequence[str]) -> nn.Module:
    """Put such a layer in place of each plain linear one of the backbone that fits."""
    body = getattr(model, "backbone", model)
    plain = {
        name: layer
        for name, layer in body.named_modules()
        if isinstance(layer, nn.Linear) and type(layer) is nn.Linear
    }
    found = {
        name: layer
        for name, layer in plain.items()
        if any(fnmatchcase(name, pattern) for pattern in include)
    }
    if not found:
        raise ConfigError(
            f"bitnet: no plain linear layer of the backbone fits {', '.join(include)}",
            hint=f"change `include`: layers are named like {', '.join([*plain][:3])}"
            if plain
            else "leave out the wrapper: one before it has replaced them, or the backbone has none",
        )
    for name, layer in found.items():
        body.set_submodule(name, TernaryLinear(layer, strength))
    return model


class TernaryLinear(nn.Linear):
    """Learns full weights; computes with them rounded (Ma et al. 2024, arXiv:2402.17764).

    Its inputs stay whole and as they are, unlike a `BitLinear`'s: so a plain layer with the rounded
    weights computes the same, and whoever reads the file needs neither this class nor the plugin.
    """

    def __init__(self, layer: nn.Linear, strength: float) -> None:
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None, "meta")
        self.weight, self.bias = layer.weight, layer.bias
        self.strength = strength
        self.settled = False

    def forward(self, input: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:  # noqa: A002
        weight = self.weight if self.settled else straight_through(self.weight, self.coarse())
        return linear(input, weight, self.bias)

    def coarse(self) -> Float[Tensor, "o i"]:
        """The weights that it computes with."""
        exact = self.weight.detach()
        return exact.lerp(times(*rounded(exact)), self.strength)

    @torch.no_grad()
    def settle(self) -> None:
        """Speak: the weights become those that it computes with."""
        self.weight.copy_(self.coarse())
        self.settled = True

    def unsettle(self) -> None:
        """Learn on: whoever called `settle` puts the weights back."""
        self.settled = False
