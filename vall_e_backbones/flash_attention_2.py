"""FlashAttention-2 (Dao 2023, https://arxiv.org/abs/2307.08691) as called by transformers."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import HALF, Limits, Package
from vall_e_backbones.packed_keys import PackedKeys, packed_queries

Forward = Callable[..., Tensor]
"""transformers' `_flash_attention_forward`."""


class FlashAttention2(LimitedKernel):
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

    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        length = q.shape[2]
        places: dict[str, object] = {}
        keys, values = k.transpose(1, 2), v.transpose(1, 2)  # (b, u, g, c)
        if options.mask is not None:
            packed = PackedKeys.of(k, v, options.mask)
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
            is_causal=options.causal,
            dropout=options.dropout,
            softmax_scale=options.scale,
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
