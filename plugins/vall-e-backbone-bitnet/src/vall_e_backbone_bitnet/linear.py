"""Linear layers of ternary weights (Ma et al. 2024, https://arxiv.org/abs/2402.17764)."""

import torch
from jaxtyping import Float, Int8, UInt8
from torch import Tensor, nn
from torch.nn.functional import linear, pad, rms_norm

from vall_e.plugin import ConfigError

LEAST = 1e-5
"""Below it, a mean or a maximum counts as this: zeros stay zeros."""
PER_BYTE = 4


class BitLinear(nn.Linear):
    """Learns full weights; computes with them rounded. No bias.

    The input is normed, since its range decides how coarse its 8 bits are.
    """

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__(features_in, features_out, bias=False)

    def forward(self, input: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:  # noqa: A002
        ternary, mean = rounded(self.weight)
        weight = straight_through(self.weight, times(ternary, mean))
        x = normed(input)
        return linear(straight_through(x, eight_bits(x)), weight)


class PackedLinear(nn.Module):
    """What a `BitLinear` computes, from two bits a weight."""

    packed: Tensor
    mean: Tensor

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__()
        self.in_features, self.out_features = features_in, features_out
        width = -(-features_in // PER_BYTE)
        self.register_buffer("packed", torch.zeros(features_out, width, dtype=torch.uint8))
        self.register_buffer("mean", torch.zeros(()))

    @classmethod
    def of(cls, layer: BitLinear) -> "PackedLinear":
        """With the rounded weights of this one."""
        made = cls(layer.in_features, layer.out_features)
        ternary, mean = rounded(layer.weight.detach())
        made.packed, made.mean = pack(ternary), mean
        return made.train(layer.training)

    def forward(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        if self.training:
            raise ConfigError(
                "bitnet: packed weights cannot be trained",
                hint="set model.backbone.packed: false, and train from the file before packing",
            )
        weight = times(unpack(self.packed, self.in_features), self.mean)
        return linear(eight_bits(normed(x)), weight)


def rounded(weight: Float[Tensor, "o i"]) -> tuple[Int8[Tensor, "o i"], Float[Tensor, ""]]:
    """The nearest of -1, 0 and 1 in units of the mean absolute weight, and that mean."""
    mean = weight.detach().abs().mean().clamp(min=LEAST)
    return (weight.detach() / mean).round().clamp(-1, 1).to(torch.int8), mean


def times(ternary: Int8[Tensor, "o i"], mean: Float[Tensor, ""]) -> Float[Tensor, "o i"]:
    """The weights that are meant."""
    return ternary.to(mean.dtype) * mean


def normed(x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n i"]:
    """To a root mean square of 1."""
    return rms_norm(x, x.shape[-1:])


def eight_bits(x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n i"]:
    """Each vector rounded to 255 steps, by its own largest number."""
    step = x.abs().amax(dim=-1, keepdim=True).clamp(min=LEAST) / 127
    return (x / step).round() * step


def straight_through(exact: Tensor, coarse: Tensor) -> Tensor:
    """`coarse`, with the gradient of `exact` (Bengio et al. 2013, arXiv:1308.3432).

    The value is `coarse` itself, to the last bit: a packed model must say the same.
    """
    return coarse.detach() + (exact - exact.detach())


def pack(ternary: Int8[Tensor, "o i"]) -> UInt8[Tensor, "o w"]:
    """Four weights a byte, the first in the lowest bits."""
    digits = pad((ternary + 1).to(torch.uint8), (0, -ternary.shape[1] % PER_BYTE))
    shifts = torch.arange(PER_BYTE, device=ternary.device) * 2
    grouped = digits.view(len(digits), -1, PER_BYTE).long()
    return (grouped << shifts).sum(-1).to(torch.uint8)


def unpack(packed: UInt8[Tensor, "o w"], width: int) -> Int8[Tensor, "o i"]:
    """What was packed, `width` weights a row."""
    shifts = torch.arange(PER_BYTE, device=packed.device, dtype=torch.uint8) * 2
    digits = (packed[..., None] >> shifts) & 3
    return digits.flatten(1)[:, :width].to(torch.int8) - 1
