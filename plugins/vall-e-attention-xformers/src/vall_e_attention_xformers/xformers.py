"""xFormers' memory-efficient attention (Rabe and Staats 2021, https://arxiv.org/abs/2112.05682)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vall_e_backbones.formula import own_heads
from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import Limits, Package

ALIGNMENT = 8
"""Its kernels read a bias in blocks of this size: rows are padded to multiples."""


class Xformers(LimitedKernel):
    """Masks become a bias of 0 and -inf; shared key/value heads are copied."""

    name = "xformers"

    def __init__(self, package: Package, *, devices: tuple[str, ...] = ("cuda",)) -> None:
        self.ops = package.found
        self.limits = Limits(
            absent=package.absent, devices=devices, dropout=True, capabilities=(7, 99)
        )

    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        k, v = own_heads(q, k, v)
        out: Tensor = self.ops.memory_efficient_attention(
            *(x.transpose(1, 2) for x in (q, k, v)),
            attn_bias=self.ops.LowerTriangularMask() if options.causal else _bias(q, options.mask),
            p=options.dropout,
            scale=options.scale,
        )
        return out.transpose(1, 2)


def _bias(
    q: Float[Tensor, "b h t c"], mask: Bool[Tensor, "b 1 t u"] | None
) -> Float[Tensor, "b h t u"] | None:
    if mask is None:
        return None
    rows, _, length, keys = mask.shape
    room = q.new_empty((rows, 1, length, -(-keys // ALIGNMENT) * ALIGNMENT))
    bias = room[..., :keys]
    bias.fill_(0.0).masked_fill_(~mask, -torch.inf)
    return bias.expand(-1, q.shape[1], -1, -1)


def package() -> Package:
    """`xformers.ops`, or why it is not available. Not imported without a GPU: it would warn."""
    if not torch.cuda.is_available():
        return Package(absent="xformers needs a CUDA device, and PyTorch finds none")
    return Package.load("xformers.ops", "xformers")
