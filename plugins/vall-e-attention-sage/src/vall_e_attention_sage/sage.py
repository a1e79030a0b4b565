"""SageAttention (Zhang et al. 2024, https://arxiv.org/abs/2410.02367): scores of 8-bit products."""

from jaxtyping import Float
from torch import Tensor

from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import HALF, Limits, Package
from vall_e_backbones.packed_keys import PackedKeys, packed_queries, unpacked


class Sage(LimitedKernel):
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

    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        out: Tensor
        if options.mask is None:
            out = self.functions.sageattn(
                q, k, v, tensor_layout="HND", is_causal=options.causal, sm_scale=options.scale
            )
            return out
        keys = PackedKeys.of(k, v, options.mask)
        queries, ends = packed_queries(q)
        out = self.functions.sageattn_varlen(
            *(queries, keys.k, keys.v, ends, keys.ends, q.shape[2], keys.longest),
            is_causal=options.causal,
            sm_scale=options.scale,
        )
        return unpacked(out, len(q))


def package() -> Package:
    """Its functions, or why they are not available."""
    return Package.load("sageattention", "sageattention")
