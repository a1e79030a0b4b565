"""PyTorch's flex_attention (Dong et al. 2024, https://arxiv.org/abs/2412.05496)."""

import warnings
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from vall_e.plugin import AttentionCase
from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import Limits
from vall_e_backbones.options import FlexConfig


class Flex(LimitedKernel):
    """Masks become code of the kernel and a table of tiles, of which masked ones are skipped.

    The first call for each kind of mask compiles it. On a CPU it runs uncompiled, over all tiles:
    the code that PyTorch 2.13 generates there for dynamic lengths does not compile.
    """

    name = "flex"

    def __init__(self, config: FlexConfig) -> None:
        self.limits = Limits(devices=("cpu", "cuda"))
        self.compiled = config.compile
        self.plain: Callable[..., Tensor] = flex_attention
        self.on_cuda: Callable[..., Tensor] = self._as_written
        if config.compile:
            self.on_cuda = torch.compile(flex_attention, dynamic=True)

    def unsupported(self, case: AttentionCase) -> str | None:
        reason = super().unsupported(case)
        if reason is None and case.training and case.device.type == "cpu":
            return "flex_attention does not support gradients on the CPU"
        if reason is None and case.training and not self.compiled:
            return "flex_attention supports gradients only if compiled"
        return reason

    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        attend = self.on_cuda if q.is_cuda else self._as_written
        return attend(
            q,
            k,
            v,
            block_mask=_block_mask(q, k, options.mask, options.causal),
            scale=options.scale,
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
