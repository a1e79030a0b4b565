"""Attention as the formula has it, one step after the other, whose weights can be looked at."""

from collections import deque

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import dropout as drop

from vall_e.plugin import AttentionCase
from vall_e_backbones.components import DefaultConfig


class Default:
    """softmax(q k^T) v (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762), for debugging.

    Computes in fp32 whatever the dtype of its inputs (in fp64 for those of fp64).
    """

    name = "default"

    def __init__(self, config: DefaultConfig) -> None:
        self.kept: deque[Tensor] = deque(maxlen=config.keep)
        """Weights (b, h, t, u) of the last calls, before dropout and without gradients."""

    def unsupported(self, case: AttentionCase) -> str | None:
        return None

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
        weights = self.weights(q, k, mask=mask, causal=causal, scale=scale)
        if self.kept.maxlen:
            self.kept.append(weights.detach())
        weights = drop(weights, dropout, training=dropout > 0)
        values = v.repeat_interleave(q.shape[1] // v.shape[1], dim=1).to(weights.dtype)
        return (weights @ values).to(q.dtype)

    def weights(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        *,
        mask: Bool[Tensor, "b 1 t u"] | None = None,
        causal: bool = False,
        scale: float | None = None,
    ) -> Float[Tensor, "b h t u"]:
        """How much each query heeds each key; sums to 1 over the keys, 0 where it may not look.

        A query that may look nowhere has zeros only.
        """
        wide = torch.promote_types(q.dtype, torch.float32)
        keys = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1).to(wide)
        scores = q.to(wide) @ keys.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
        if causal:
            mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
        if mask is None:
            return scores.softmax(-1)
        # Not -inf, which makes NaN of a row without any key.
        hidden = scores.masked_fill(~mask, torch.finfo(wide).min)
        return hidden.softmax(-1).masked_fill(~mask, 0.0)
