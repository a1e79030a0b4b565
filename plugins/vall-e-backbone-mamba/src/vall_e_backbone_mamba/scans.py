"""The recurrences of Mamba and Mamba-2 in plain torch, from any state; in fp32.

    state <- exp(dt a) state + dt x b,    y = state c

A step size `dt` of 0 leaves the state unchanged, which is how padding is skipped. Sizes besides
those of docs/glossary.md: `e` channels, `n` values in a channel's state, `p` channels of a head,
`g` groups.
"""

import torch
from jaxtyping import Float
from torch import Tensor

SELECTIVE_CHUNK = 32
STRUCTURED_CHUNK = 64
"""Positions that are computed in parallel."""


def selective(
    x: Float[Tensor, "b t e"],
    dt: Float[Tensor, "b t e"],
    a: Float[Tensor, "e n"],
    b: Float[Tensor, "b t n"],
    c: Float[Tensor, "b t n"],
    state: Float[Tensor, "b e n"],
) -> tuple[Float[Tensor, "b t e"], Float[Tensor, "b e n"]]:
    """Mamba's (Gu and Dao 2023, https://arxiv.org/abs/2312.00752, algorithm 2).

    Within a chunk by doubling (Hillis and Steele 1986): products of decays never exceed 1, so
    nothing is divided and nothing overflows.
    """
    pieces = []
    for first in range(0, x.shape[1], SELECTIVE_CHUNK):
        x_, dt_, b_, c_ = (v[:, first : first + SELECTIVE_CHUNK].float() for v in (x, dt, b, c))
        decay = torch.exp(dt_[..., None] * a)  # (b, l, e, n)
        added = (dt_ * x_)[..., None] * b_[:, :, None]
        reach = 1
        while reach < decay.shape[1]:
            later, before = added[:, reach:], added[:, :-reach]
            added = torch.cat([added[:, :reach], later + decay[:, reach:] * before], dim=1)
            decay = torch.cat([decay[:, :reach], decay[:, reach:] * decay[:, :-reach]], dim=1)
            reach *= 2
        states = added + decay * state[:, None]
        state = states[:, -1]
        pieces.append(torch.einsum("blen,bln->ble", states, c_))
    return torch.cat(pieces, dim=1), state


def structured(
    x: Float[Tensor, "b t h p"],
    dt: Float[Tensor, "b t h"],
    a: Float[Tensor, " h"],
    b: Float[Tensor, "b t g n"],
    c: Float[Tensor, "b t g n"],
    state: Float[Tensor, "b h p n"],
) -> tuple[Float[Tensor, "b t h p"], Float[Tensor, "b h p n"]]:
    """Mamba-2's (Dao and Gu 2024, https://arxiv.org/abs/2405.21060, listing 1).

    Within a chunk it is attention without a softmax, under a mask of decays.
    """
    shared = x.shape[2] // b.shape[2]
    pieces = []
    for first in range(0, x.shape[1], STRUCTURED_CHUNK):
        x_, dt_, b_, c_ = (v[:, first : first + STRUCTURED_CHUNK].float() for v in (x, dt, b, c))
        b_, c_ = (v.repeat_interleave(shared, dim=2) for v in (b_, c_))  # (b, l, h, n)
        sums = (dt_ * a).cumsum(1)  # logarithms of what is left since the chunk began
        fades = (sums[:, :, None] - sums[:, None]).permute(0, 3, 1, 2)  # (b, h, l, m)
        future = torch.ones(fades.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        mask = fades.masked_fill(future, float("-inf")).exp()
        given = x_ * dt_[..., None]
        seen = torch.einsum("blhn,bmhn->bhlm", c_, b_) * mask
        inner = torch.einsum("bhlm,bmhp->blhp", seen, given)
        carried = torch.einsum("blhn,bhpn->blhp", c_, state) * sums.exp()[..., None]
        left = torch.exp(sums[:, -1:] - sums)[..., None]
        state = state * sums[:, -1, :, None, None].exp()
        state = state + torch.einsum("blhp,blhn->bhpn", given * left, b_)
        pieces.append(inner + carried)
    return torch.cat(pieces, dim=1), state
