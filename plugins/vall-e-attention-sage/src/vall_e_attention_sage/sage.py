"""SageAttention (Zhang et al. 2024, https://arxiv.org/abs/2410.02367): scores of 8-bit products."""

from jaxtyping import Bool, Float
from torch import Tensor

from vall_e.plugin import AttentionCase
from vall_e_backbones.limits import HALF, Limits, Package, require
from vall_e_backbones.packed_keys import PackedKeys, packed_queries, unpacked


class Sage:
    """Forward only, and approximate: queries and keys are quantized to 8 bits."""

    name = "sage"

    def __init__(self, package: Package, *, devices: tuple[str, ...] = ("cuda",)) -> None:
        self.functions = package.found
        self.limits = Limits(
            absent=package.absent,
            devices=devices,
            dtypes=HALF,
            max_head_dim=128,
            masks="padding",
            gradients=False,
            capabilities=(8, 99),
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
        out: Tensor
        if mask is None:
            out = self.functions.sageattn(
                q, k, v, tensor_layout="HND", is_causal=causal, sm_scale=scale
            )
            return out
        keys = PackedKeys.of(k, v, mask)
        queries, ends = packed_queries(q)
        out = self.functions.sageattn_varlen(
            *(queries, keys.k, keys.v, ends, keys.ends, q.shape[2], keys.longest),
            is_causal=causal,
            sm_scale=scale,
        )
        return unpacked(out, len(q))


def package() -> Package:
    """Its functions, or why they are not available."""
    return Package.load("sageattention", "sageattention")
