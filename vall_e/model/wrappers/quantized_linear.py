"""Linear layers whose weights are held in 8 or 4 bits, but named and saved at full precision.

Each run of `group` values of a row has its own scale (as in GPTQ, Frantar et al. 2022,
https://arxiv.org/abs/2210.17323, without its search).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Literal

import torch
from jaxtyping import Float, Int8, Shaped
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from vall_e.errors import ConfigError

Bits = Literal[4, 8]


def rounded(model: nn.Module, *, bits: Bits, group: int, include: tuple[str, ...]) -> nn.Module:
    """Hold the backbone's plain linear layers that match `include` in this many bits, in place."""
    body = getattr(model, "backbone", model)
    plain = plain_layers(body)
    names = [name for name in plain if any(fnmatchcase(name, i) for i in include)]
    if not names:
        raise ConfigError(
            f"int{bits}: no plain linear layer of the backbone matches {', '.join(include)}",
            hint=f"layers are named like {', '.join(plain[:3])}"
            if plain
            else "an earlier wrapper has replaced them, or the backbone has none: use only one",
        )
    for name in names:
        layer = body.get_submodule(name)
        assert isinstance(layer, nn.Linear)  # noqa: S101 - its names are those of linear layers
        body.set_submodule(name, RoundedLinear(layer, bits=bits, group=group))
    return model


class RoundedLinear(nn.Module):
    """For inference: the weight is not trained. It is dequantized for each product."""

    packed: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear, *, bits: Bits, group: int) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.bits, self.group = bits, min(group, layer.in_features)
        self.take(layer.weight.detach())
        bias = None if layer.bias is None else layer.bias.detach()
        self.register_buffer("bias", bias, persistent=False)

    @property
    def weight(self) -> Float[Tensor, "o i"]:
        """The dequantized weight."""
        steps = unpacked(self.packed) if self.bits == 4 else self.packed
        grouped = steps.view(len(steps), -1, self.group).to(self.scale.dtype)
        whole: Tensor = (grouped * self.scale[..., None]).flatten(1)[:, : self.in_features]
        return whole

    def take(self, weight: Float[Tensor, "o i"]) -> None:
        """Quantize and hold this weight."""
        steps, scale = in_steps(weight, bits=self.bits, group=self.group)
        held = packed(steps) if self.bits == 4 else steps
        self.register_buffer("packed", held, persistent=False)
        self.register_buffer("scale", scale, persistent=False)

    def forward(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        return linear(x, self.weight.to(x.dtype), self.bias)

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        destination[f"{prefix}weight"] = self.weight
        if self.bias is not None:
            destination[f"{prefix}bias"] = self.bias

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *rest: Any, **options: Any
    ) -> None:
        if f"{prefix}weight" in state_dict:
            self.take(state_dict[f"{prefix}weight"].to(self.scale))
        if self.bias is not None and f"{prefix}bias" in state_dict:
            self.bias.copy_(state_dict[f"{prefix}bias"])


def plain_layers(body: nn.Module) -> list[str]:
    """Names of the linear layers that only compute a product (those with a LoRA do more)."""
    return [name for name, module in body.named_modules() if type(module) is nn.Linear]


def in_steps(
    weight: Float[Tensor, "o i"], *, bits: Bits, group: int
) -> tuple[Int8[Tensor, "o j"], Float[Tensor, "o n"]]:
    """A weight as integers, and the size of a step of 1 in each run of `group` of them.

    Rows are filled up with zeros to whole groups.
    """
    whole = pad(weight, (0, -weight.shape[1] % group))
    grouped = whole.view(len(whole), -1, group)
    most = 2 ** (bits - 1) - 1
    scale = grouped.abs().amax(-1).clamp_min(torch.finfo(weight.dtype).tiny) / most
    steps = (grouped / scale[..., None]).round().clamp(-most, most).to(torch.int8)
    return steps.flatten(1), scale


def packed(steps: Int8[Tensor, "o i"]) -> Shaped[Tensor, "o w"]:
    """Two numbers from -7 to 7 in a byte, the first in its lower half."""
    even = pad(steps, (0, steps.shape[1] % 2)).to(torch.uint8) & 15
    return even[:, ::2] | (even[:, 1::2] << 4)


def unpacked(held: Shaped[Tensor, "o w"]) -> Int8[Tensor, "o i"]:
    """The unpacked values; their width is even."""
    halves = torch.stack([held & 15, held >> 4], dim=-1).flatten(1).to(torch.int8)
    return torch.where(halves > 7, halves - 16, halves)
