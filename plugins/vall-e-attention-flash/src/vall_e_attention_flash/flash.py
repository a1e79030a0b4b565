"""The package flash-attn: 2.x (Dao 2023, https://arxiv.org/abs/2307.08691), or 1.x before it."""

from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor

from vall_e_backbones.formula import own_heads
from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import HALF, Limits, Package
from vall_e_backbones.packed_keys import PackedKeys, packed_queries, unpacked

INSTALL = "flash-attn --no-build-isolation"
"""Its build uses the installed torch."""


class FlashAttn(LimitedKernel):
    """Padding masks are applied by packing the remaining keys; other masks are not supported."""

    name = "flash-attn"

    def __init__(self, package: Package, *, devices: tuple[str, ...] = ("cuda",)) -> None:
        self.functions = package.found
        self.first = hasattr(package.found, "flash_attn_unpadded_func")
        self.limits = Limits(
            absent=package.absent,
            devices=devices,
            dtypes=HALF,
            max_head_dim=128 if self.first else 256,
            head_dim_multiple=8,
            masks="padding",
            dropout=True,
            # 1.x still supports Turing, 2.x begins with Ampere.
            capabilities=(7, 99) if self.first else (8, 99),
        )

    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        if self.first:
            k, v = own_heads(q, k, v)
        elif options.mask is None:
            whole: Tensor = self.functions.flash_attn_func(
                *(x.transpose(1, 2) for x in (q, k, v)),
                dropout_p=options.dropout,
                softmax_scale=options.scale,
                causal=options.causal,
            )
            return whole.transpose(1, 2)
        return self._packed(q, _packed(k, v, options.mask), options)

    def _packed(
        self,
        q: Float[Tensor, "b h t c"],
        keys: PackedKeys,
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        queries, ends = packed_queries(q)
        name = "flash_attn_unpadded_func" if self.first else "flash_attn_varlen_func"
        # Both take the same arguments; 1.x needs the first eight by position.
        out: Tensor = getattr(self.functions, name)(
            *(queries, keys.k, keys.v, ends, keys.ends, q.shape[2], keys.longest),
            options.dropout,
            softmax_scale=options.scale,
            causal=options.causal,
        )
        return unpacked(out, len(q))


def _packed(
    k: Float[Tensor, "b g u c"], v: Float[Tensor, "b g u c"], mask: Bool[Tensor, "b 1 t u"] | None
) -> PackedKeys:
    """All keys if there is no mask: 1.x supports nothing else."""
    if mask is not None:
        return PackedKeys.of(k, v, mask)
    keys, ends = packed_queries(k)
    return PackedKeys(keys, packed_queries(v)[0], ends, k.shape[2])


def package() -> Package:
    """Its functions, of whichever version is installed, or why they are not available."""
    return Package.load("flash_attn.flash_attn_interface", INSTALL, ready=_lacks)


def _lacks(interface: Any) -> str:
    wanted = ("flash_attn_varlen_func", "flash_attn_unpadded_func")
    if any(hasattr(interface, name) for name in wanted):
        return ""
    return f"this flash_attn has none of its functions of 1.x and 2.x: pip install -U {INSTALL}"
