"""Attention step by step as in the formula, with weights that can be inspected."""

from collections import deque

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import dropout as drop

from vall_e.plugin import AttentionCase
from vall_e_backbones.formula import attention_weights, own_heads
from vall_e_backbones.options import DefaultConfig


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
        [values] = own_heads(q, v)
        return (weights @ values.to(weights.dtype)).to(q.dtype)

    def weights(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        *,
        mask: Bool[Tensor, "b 1 t u"] | None = None,
        causal: bool = False,
        scale: float | None = None,
    ) -> Float[Tensor, "b h t u"]:
        """As `attention_weights`, in fp32 or wider."""
        wide = torch.promote_types(q.dtype, torch.float32)
        [keys] = own_heads(q, k)
        return attention_weights(q.to(wide), keys.to(wide), mask=mask, causal=causal, scale=scale)
