"""FlashAttention-2 for Volta (https://github.com/ai-bond/flash-attention-v100)."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from vall_e_backbones.formula import own_heads
from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import Limits, Package
from vall_e_backbones.packed_keys import PackedKeys, packed_queries, unpacked

WHENCE = "git+https://github.com/ai-bond/flash-attention-v100"


class FlashV100(LimitedKernel):
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

    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        k, v = own_heads(q, k, v)
        theirs = {
            "dropout_p": options.dropout,
            "softmax_scale": options.scale,
            "causal": options.causal,
        }
        out: Tensor
        if options.mask is None:
            out = self.functions.flash_attn_func(*(x.transpose(1, 2) for x in (q, k, v)), **theirs)
            return out.transpose(1, 2)
        keys = PackedKeys.of(k, v, options.mask)
        queries, ends = packed_queries(q)
        out = self.functions.flash_attn_varlen_func(
            queries, keys.k, keys.v, ends, keys.ends, q.shape[2], keys.longest, **theirs
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
