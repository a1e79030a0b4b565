"""Linear layers with ternary weights (Ma et al. 2024, https://arxiv.org/abs/2402.17764)."""

import torch
from jaxtyping import Float, Int8, UInt8
from torch import Tensor, nn
from torch.nn.functional import linear, pad, rms_norm

from vall_e.plugin import ConfigError

LEAST = 1e-5
"""Lower bound of a mean or maximum, so that zeros stay zeros."""
PER_BYTE = 4


class BitLinear(nn.Linear):
    """Trains full-precision weights; computes with ternary ones. No bias.

    The input is normalized, since its range determines the resolution of its 8 bits.
    """

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__(features_in, features_out, bias=False)

    def forward(self, input: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:  # noqa: A002
        ternary, mean = rounded(self.weight)
        weight = straight_through(self.weight, times(ternary, mean))
        x = normed(input)
        return linear(straight_through(x, eight_bits(x)), weight)


class PackedLinear(nn.Module):
    """Computes the same as a `BitLinear`, from two bits per weight."""

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
        """With the quantized weights of this layer."""
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
    """The dequantized weights."""
    return ternary.to(mean.dtype) * mean


def normed(x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n i"]:
    """Normalized to a root mean square of 1."""
    return rms_norm(x, x.shape[-1:])


def eight_bits(x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n i"]:
    """Each vector quantized to 255 steps, scaled by its own largest value."""
    step = x.abs().amax(dim=-1, keepdim=True).clamp(min=LEAST) / 127
    return (x / step).round() * step


def straight_through(exact: Tensor, coarse: Tensor) -> Tensor:
    """`coarse`, with the gradient of `exact` (Bengio et al. 2013, arXiv:1308.3432).

    The value is exactly `coarse`: a packed model must give the same results.
    """
    return coarse.detach() + (exact - exact.detach())


def pack(ternary: Int8[Tensor, "o i"]) -> UInt8[Tensor, "o w"]:
    """Four weights per byte, the first in the lowest bits."""
    digits = pad((ternary + 1).to(torch.uint8), (0, -ternary.shape[1] % PER_BYTE))
    shifts = torch.arange(PER_BYTE, device=ternary.device) * 2
    grouped = digits.view(len(digits), -1, PER_BYTE).long()
    return (grouped << shifts).sum(-1).to(torch.uint8)


def unpack(packed: UInt8[Tensor, "o w"], width: int) -> Int8[Tensor, "o i"]:
    """The unpacked weights, `width` per row."""
    shifts = torch.arange(PER_BYTE, device=packed.device, dtype=torch.uint8) * 2
    digits = (packed[..., None] >> shifts) & 3
    return digits.flatten(1)[:, :width].to(torch.int8) - 1
