"""The plain formula over packed rows, for fakes of packages that need a GPU."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


def attend_packed(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    ends_q: Tensor,
    ends_k: Tensor,
    longest_q: int,
    longest_k: int,
    *,
    dropout: float = 0.0,
    scale: float | None = None,
    causal: bool = False,
) -> Tensor:
    """Attention of (n, h, c) over (m, g, c), row by row, as in `flash_attn_varlen_func`.

    `ends` are 0 and then the end of each row, in int32; `longest` are the lengths of the longest
    rows.
    """
    for ends, x, longest in ((ends_q, q, longest_q), (ends_k, k, longest_k)):
        assert ends.dtype == torch.int32
        assert int(ends[0]) == 0
        assert int(ends[-1]) == len(x)
        assert int(ends.diff().max()) == longest
    edges = list(zip(ends_q.tolist(), ends_k.tolist(), strict=True))
    rows = []
    for (first, start), (last, end) in pairwise(edges):
        out = scaled_dot_product_attention(
            q[first:last].transpose(0, 1)[None],
            k[start:end].transpose(0, 1)[None],
            v[start:end].transpose(0, 1)[None],
            dropout_p=dropout,
            scale=scale,
            is_causal=causal,
            enable_gqa=True,
        )
        rows.append(out[0].transpose(0, 1))
    return torch.cat(rows)
