"""Retention (Sun et al. 2023, https://arxiv.org/abs/2307.08621) in its three forms, which agree.

Position n attends to position m <= n with weight q_n . k_m * decay ** (n - m); the sum is divided
by the square root of the weights' own sum, decay ** 0 + ... + decay ** n (as in torchscale). Heads
differ in decay, from 1 - 1/32 on. Sizes besides the README's: `c` of a key, `e` of a value.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def log_decays(heads: int) -> Float[Tensor, " h"]:
    """Logarithms of 1 - 2 ** (-5 - head)."""
    return torch.log1p(-(2.0 ** (-5 - torch.arange(heads, dtype=torch.float))))


def parallel(
    q: Float[Tensor, "b h t c"],
    k: Float[Tensor, "b h t c"],
    v: Float[Tensor, "b h t e"],
    logs: Float[Tensor, " h"],
) -> Float[Tensor, "b h t e"]:
    """All positions at once: time and memory grow with the square of their number."""
    steps = torch.arange(q.shape[2], device=q.device)
    weights = _within(steps, logs) / _scale(steps, logs).sqrt()[..., None]
    return (q @ k.transpose(-1, -2) * weights.to(q.dtype)) @ v


def chunkwise(
    q: Float[Tensor, "b h t c"],
    k: Float[Tensor, "b h t c"],
    v: Float[Tensor, "b h t e"],
    logs: Float[Tensor, " h"],
    size: int,
) -> Float[Tensor, "b h t e"]:
    """In parallel within chunks of `size` positions, by a state from chunk to chunk."""
    b, h, _, c = q.shape
    state = q.new_zeros(b, h, c, v.shape[-1], dtype=torch.float)
    start = torch.zeros(b, dtype=torch.long, device=q.device)
    pieces = []
    for first in range(0, q.shape[2], size):
        q_, k_, v_ = (each[:, :, first : first + size] for each in (q, k, v))
        count = torch.full_like(start, q_.shape[2])
        out, state = advance(q_, k_, v_, logs, state, start, count)
        start = start + count
        pieces.append(out)
    return torch.cat(pieces, dim=2)


def advance(
    q: Float[Tensor, "b h t c"],
    k: Float[Tensor, "b h t c"],
    v: Float[Tensor, "b h t e"],
    logs: Float[Tensor, " h"],
    state: Float[Tensor, "b h c e"],
    start: Int[Tensor, " b"],
    lengths: Int[Tensor, " b"],
) -> tuple[Float[Tensor, "b h t e"], Float[Tensor, "b h c e"]]:
    """Continue after `start` positions that are summarized in `state`.

    Also returns the new state, after `lengths` of the new positions: the rest is padding. With one
    new position this is the recurrent form. The state is in fp32: thousands of terms are added to
    it.
    """
    steps = torch.arange(q.shape[2], device=q.device)
    inner = (q @ k.transpose(-1, -2) * _within(steps, logs).to(q.dtype)) @ v
    faded = torch.exp(logs[:, None] * (steps + 1))[..., None]  # (h, t, 1)
    out = inner.float() + (q.float() @ state) * faded
    scale = _scale(start[:, None] + steps, logs)  # (h, b, t)
    out = out / scale.transpose(0, 1).sqrt()[..., None]
    left = lengths[:, None] - 1 - steps  # how many of the new positions come after this one
    kept = torch.exp(logs[:, None, None] * left.clamp(min=0)) * (left >= 0)  # (h, b, t)
    fresh = (k.float() * kept.transpose(0, 1)[..., None]).transpose(-1, -2) @ v.float()
    aged = torch.exp(logs * lengths[:, None])[..., None, None]  # (b, h, 1, 1)
    return out.to(v.dtype), state * aged + fresh


def _within(steps: Int[Tensor, " t"], logs: Float[Tensor, " h"]) -> Float[Tensor, "h t t"]:
    """The decay between positions: decay ** (n - m), 0 for the future."""
    ages = steps[:, None] - steps
    return torch.exp(logs[:, None, None] * ages.clamp(min=0)) * (ages >= 0)


def _scale(steps: Int[Tensor, "*n"], logs: Float[Tensor, " h"]) -> Tensor:
    """The sum decay ** 0 + ... + decay ** n, (h, *n)."""
    logs = logs.view(-1, *(1,) * steps.ndim)
    return torch.expm1(logs * (steps + 1)) / torch.expm1(logs)
