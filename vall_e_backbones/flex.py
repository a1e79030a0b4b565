"""PyTorch's flex_attention (Dong et al. 2024, https://arxiv.org/abs/2412.05496)."""

import warnings
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from vall_e.plugin import AttentionCase
from vall_e_backbones.limits import Limits, require
from vall_e_backbones.options import FlexConfig


class Flex:
    """Masks become code of the kernel and a table of tiles, of which masked ones are skipped.

    The first call for each kind of mask compiles it. On a CPU it runs uncompiled, over all tiles:
    the code that PyTorch 2.13 generates there for dynamic lengths does not compile.
    """

    name = "flex"

    def __init__(self, config: FlexConfig) -> None:
        self.compiled = config.compile
        self.plain: Callable[..., Tensor] = flex_attention
        self.on_cuda: Callable[..., Tensor] = self._as_written
        if config.compile:
            self.on_cuda = torch.compile(flex_attention, dynamic=True)

    def unsupported(self, case: AttentionCase) -> str | None:
        reason = Limits(devices=("cpu", "cuda")).reason(case)
        if reason is None and case.training and case.device.type == "cpu":
            return "flex_attention does not support gradients on the CPU"
        if reason is None and case.training and not self.compiled:
            return "flex_attention supports gradients only if compiled"
        return reason

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
        attend = self.on_cuda if q.is_cuda else self._as_written
        return attend(
            q,
            k,
            v,
            block_mask=_block_mask(q, k, mask, causal),
            scale=scale,
            enable_gqa=q.shape[1] != k.shape[1],
        )

    def _as_written(self, *tensors: Tensor, **options: object) -> Tensor:
        """Without PyTorch's warning that it should be compiled."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "flex_attention called without torch.compile")
            return self.plain(*tensors, **options)


def _block_mask(
    q: Float[Tensor, "b h t c"],
    k: Float[Tensor, "b g u c"],
    mask: Bool[Tensor, "b 1 t u"] | None,
    causal: bool,
) -> BlockMask | None:
    rows, length, keys = len(q), q.shape[2], k.shape[2]
    if causal:
        return create_block_mask(
            lambda row, head, i, j: i >= j, None, None, length, keys, device=q.device
        )
    if mask is None:
        return None
    return create_block_mask(
        lambda row, head, i, j: mask[row, 0, i, j], rows, None, length, keys, device=q.device
    )
