"""The formula of attention, softmax(q k^T) v, in parts, for kernels that do not fuse it.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762. For query heads that share keys and values:
Ainslie et al. 2023, https://arxiv.org/abs/2305.13245.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def own_heads(
    q: Float[Tensor, "b h t c"], *shared: Float[Tensor, "b g u c"]
) -> tuple[Float[Tensor, "b h u c"], ...]:
    """Keys, values, or both, repeated for each query head that shares them."""
    heads = q.shape[1]
    return tuple(
        x if x.shape[1] == heads else x.repeat_interleave(heads // x.shape[1], dim=1)
        for x in shared
    )


def attention_weights(
    q: Float[Tensor, "b h t c"],
    k: Float[Tensor, "b h u c"],
    *,
    mask: Bool[Tensor, "b 1 t u"] | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Float[Tensor, "b h t u"]:
    """The weight of each key for each query; sums to 1 over the keys, 0 for masked ones.

    A query without any allowed key has zeros only.
    """
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    seen: Tensor | None = mask
    if causal:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
    if seen is None:
        return scores.softmax(-1)
    # Not -inf, which gives NaN for a row without any key.
    hidden = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
    return hidden.softmax(-1).masked_fill(~seen, 0.0)
