"""FlashAttention-2 for Volta (https://github.com/ai-bond/flash-attention-v100)."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vall_e.plugin import AttentionCase
from vall_e_backbones.formula import own_heads
from vall_e_backbones.limits import Limits, Package, require
from vall_e_backbones.packed_keys import PackedKeys, packed_queries, unpacked

WHENCE = "git+https://github.com/ai-bond/flash-attention-v100"


class FlashV100:
    """fp16 only: Volta has no bf16. Shared key/value heads are copied."""

    name = "flash-v100"

    def __init__(self, package: Package, *, devices: tuple[str, ...] = ("cuda",)) -> None:
        self.functions = package.found
        self.limits = Limits(
            absent=package.absent,
            devices=devices,
            dtypes=(torch.float16,),
            max_head_dim=256,
            masks="padding",
            dropout=True,
            capabilities=(7, 7),
        )

    def unsupported(self, case: AttentionCase) -> str | None:
        return self.limits.reason(case)

    def __call__(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        *,
        mask: Bool[Tensor, "b 1 t u"] | None = None,
        causal: bool = False,
        scale: float | None = None,
        dropout: float = 0.0,
    ) -> Float[Tensor, "b h t c"]:
        require(self, q, k, mask=mask, causal=causal, dropout=dropout)
        k, v = own_heads(q, k, v)
        options = {"dropout_p": dropout, "softmax_scale": scale, "causal": causal}
        out: Tensor
        if mask is None:
            out = self.functions.flash_attn_func(*(x.transpose(1, 2) for x in (q, k, v)), **options)
            return out.transpose(1, 2)
        keys = PackedKeys.of(k, v, mask)
        queries, ends = packed_queries(q)
        out = self.functions.flash_attn_varlen_func(
            queries, keys.k, keys.v, ends, keys.ends, q.shape[2], keys.longest, **options
        )
        return unpacked(out, len(q))


def package() -> Package:
    """Its functions, or why they are not available."""
    return Package.load("flash_attn_v100.flash_attn_interface", WHENCE, ready=_lacks)


def _lacks(functions: Any) -> str:
    """Other packages of that name support heads of 128 channels only, or no gradients."""
    if hasattr(functions, "flash_attn_varlen_func"):
        return ""
    return f"this flash_attn_v100 has no flash_attn_varlen_func: pip install {WHENCE}"
