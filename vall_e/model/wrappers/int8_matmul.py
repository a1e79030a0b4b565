"""Products of int8 weights by oneDNN: how a layer in int8 computes on a CPU."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import torch
from attrs import frozen
from jaxtyping import Float, Int8
from torch import Tensor

TINY = 1e-30
"""Used instead of the largest value if all inputs are zero."""


@frozen(eq=False)
class Int8Product:
    """x W^T of an int8 weight with a scale per output, packed for the CPU.

    Its input is rounded to 8 bits too, with a scale for each row, so that a row gives the same
    result in any batch (as in LLM.int8, Dettmers et al. 2022, https://arxiv.org/abs/2208.07339,
    without its outliers).
    """

    packed: Tensor
    step: Float[Tensor, " o"]
    """Step of the weight, for an input whose largest value is 1."""
    zeros: Tensor
    half: Float[Tensor, ""]
    """The largest value of an input, in steps."""
    middle: Float[Tensor, ""]
    """The zero point, plus half a step: the conversion truncates, so this rounds."""

    @classmethod
    def of(
        cls, weights: Sequence[Int8[Tensor, "_ i"]], scales: Sequence[Float[Tensor, " _"]]
    ) -> Int8Product:
        """From several weights stacked vertically: their outputs are side by side."""
        half = 127 if _adds_in_32_bits() else 63
        step = torch.cat(list(scales)) / half
        return cls(
            packed=torch.ops.onednn.qlinear_prepack(torch.cat(list(weights)), None),
            step=step,
            zeros=torch.zeros(len(step), dtype=torch.int32),
            half=torch.tensor(float(half)),
            middle=torch.tensor(half + 1.5),
        )

    def __call__(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        rows = x.reshape(-1, x.shape[-1])
        largest = rows.abs().amax(-1, keepdim=True).clamp_min_(TINY)
        counts = torch.addcmul(self.middle, rows, self.half / largest).to(torch.uint8)
        # Input scale and zero, weight scales and zeros, no bias, output in fp32, no post-op.
        out = torch.ops.onednn.qlinear_pointwise(
            counts, 1.0, int(self.middle), self.packed, self.step, self.zeros, None,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        whole: Tensor = out.mul_(largest).view(*x.shape[:-1], -1)
        return whole


def has_products() -> bool:
    """Whether oneDNN supports int8 products here; other CPUs are slow at it, or unable."""
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    known = hasattr(torch.ops.onednn, "qlinear_prepack")
    return x86 and known and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def _adds_in_32_bits() -> bool:
    """Whether sums of products cannot overflow (VNNI, AMX); otherwise inputs get fewer bits."""
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(known.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))
