"""FlashAttention-2 (Dao 2023, https://arxiv.org/abs/2307.08691) as called by transformers."""

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor

from vall_e.plugin import AttentionCase
from vall_e_backbones.limits import HALF, Limits, Package, require
from vall_e_backbones.packed_keys import PackedKeys, packed_queries

Forward = Callable[..., Tensor]
"""transformers' `_flash_attention_forward`."""


class FlashAttention2:
    """Padding masks are applied by packing the remaining keys; other masks are not supported."""

    name = "flash-attention-2"

    def __init__(self, package: Package, *, devices: tuple[str, ...] = ("cuda",)) -> None:
        self.forward: Forward = package.found
        self.limits = Limits(
            absent=package.absent,
            devices=devices,
            dtypes=HALF,
            max_head_dim=256,
            masks="padding",
            dropout=True,
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
        length = q.shape[2]
        places: dict[str, object] = {}
        keys, values = k.transpose(1, 2), v.transpose(1, 2)  # (b, u, g, c)
        if mask is not None:
            packed = PackedKeys.of(k, v, mask)
            keys, values = packed.k[None], packed.v[None]
            places = {
                "cu_seq_lens_q": packed_queries(q)[1],
                "cu_seq_lens_k": packed.ends,
                "max_length_q": length,
                "max_length_k": packed.longest,
            }
        out = self.forward(
            q.transpose(1, 2),
            keys,
            values,
            None,
            query_length=length,
            is_causal=causal,
            dropout=dropout,
            softmax_scale=scale,
            attn_implementation="flash_attention_2",
            **places,
        )
        return out.transpose(1, 2)


def integration() -> Package:
    """The function of transformers, or why it is not available."""
    package = Package.load(
        "transformers.modeling_flash_attention_utils",
        "--no-build-isolation 'transformers>=5' flash-attn",
    )
    if package.absent:
        return package
    if not package.found.is_flash_attn_2_available():
        return Package(
            absent="transformers does not find flash-attn for a GPU: "
            "pip install flash-attn --no-build-isolation"
        )
    return Package(package.found._flash_attention_forward)
