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
    """Replace each plain linear layer of the backbone that matches."""
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
            f"bitnet: no plain linear layer of the backbone matches {', '.join(include)}",
            hint=f"change `include`: layers are named like {', '.join([*plain][:3])}"
            if plain
            else "remove the wrapper: one before it has replaced them, or the backbone has none",
        )
    for name, layer in found.items():
        body.set_submodule(name, TernaryLinear(layer, strength))
    return model


class TernaryLinear(nn.Linear):
    """Trains full-precision weights; computes with ternary ones (Ma et al. 2024, 2402.17764).

    Unlike a `BitLinear`, it does not change its input: so a plain layer with the quantized
    weights computes the same, and files can be used without this class and the plugin.
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
        """Inference: the weights become those that it computes with."""
        self.weight.copy_(self.coarse())
        self.settled = True

    def unsettle(self) -> None:
        """Training: the caller of `settle` restores the weights."""
        self.settled = False
