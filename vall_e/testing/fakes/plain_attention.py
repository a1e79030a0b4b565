"""An attention kernel for tests of backbones: the plain formula."""

from __future__ import annotations

import torch
from torch import Tensor

from vall_e.interfaces.attention import AttentionCase


class PlainKernel:
    """Softmax of scaled products, for every case."""

    name = "plain"

    def unsupported(self, case: AttentionCase) -> str | None:
        return None

    def __call__(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        scale: float | None = None,
        dropout: float = 0.0,
    ) -> Tensor:
        """Shapes as in `vall_e.plugin.AttentionKernel`."""
        groups = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        scores = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
        if causal:
            mask = torch.ones_like(scores, dtype=torch.bool).tril()
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        weights = torch.dropout(scores.softmax(-1), dropout, train=dropout > 0)
        out: Tensor = weights @ v
        return out
