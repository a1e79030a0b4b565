"""Mirostat (Basu et al. 2020, https://arxiv.org/abs/2007.14966): constant surprise."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from vall_e.plugin import draw_categorical
from vall_e_samplers.options import MirostatConfig

MEASURED = 100
"""Version 1 measures the slope over this many of the likeliest tokens, as in the paper."""


class Mirostat(ABC):
    """Samples from the likeliest tokens, and adapts their number to the surprise of each token.

    The state is `limit`, the paper's mu: bits of surprise that each row allows. It starts at 2 tau
    and stays with its row when others leave the batch.
    """

    def __init__(self, config: MirostatConfig) -> None:
        self.config = config
        self.start = 2 * config.tau
        self.limit: Float[Tensor, " b"] | None = None

    @abstractmethod
    def kept(
        self, surprise: Float[Tensor, "b v"], limit: Float[Tensor, " b"]
    ) -> Bool[Tensor, "b v"]:
        """Which tokens are allowed. `surprise` ascends within each row."""

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        surprise = logits.float().log_softmax(-1) / -math.log(2)  # in bits
        limit = self._limit(surprise)
        ranked, order = surprise.sort(dim=-1, stable=True)
        kept = self.kept(ranked, limit)
        kept[:, 0] = True
        dropped = torch.ones_like(kept).scatter(-1, order, ~kept)
        token = draw_categorical(logits.masked_fill(dropped, float("-inf")), generators)
        error = surprise.gather(-1, token[:, None])[:, 0] - self.config.tau
        self.limit = limit - self.config.eta * error
        return token

    def select(self, rows: Int[Tensor, " r"]) -> None:
        if self.limit is not None:
            self.limit = self.limit[rows]

    def _limit(self, surprise: Float[Tensor, "b v"]) -> Float[Tensor, " b"]:
        if self.limit is None:
            return surprise.new_full((len(surprise),), self.start)
        if len(self.limit) != len(surprise):
            raise ValueError(
                f"mirostat has state for {len(self.limit)} rows but got {len(surprise)}: "
                "call select when rows are dropped"
            )
        return self.limit


class MirostatV2(Mirostat):
    """Keeps every token whose surprise is below the limit."""

    def kept(
        self, surprise: Float[Tensor, "b v"], limit: Float[Tensor, " b"]
    ) -> Bool[Tensor, "b v"]:
        return surprise <= limit[:, None]


class MirostatV1(Mirostat):
    """Keeps the k likeliest tokens, with k by Zipf's law from the slope of the distribution."""

    def kept(
        self, surprise: Float[Tensor, "b v"], limit: Float[Tensor, " b"]
    ) -> Bool[Tensor, "b v"]:
        size = surprise.shape[-1]
        k = zipf_count(surprise[:, :MEASURED], limit, size)
        return torch.arange(size, device=surprise.device) < k[:, None]


def zipf_count(
    surprise: Float[Tensor, "b m"], limit: Float[Tensor, " b"], size: int
) -> Float[Tensor, " b"]:
    """How many of `size` tokens are allowed for a surprise of `limit` bits.

    `surprise`: of the likeliest tokens, ascending, from which the slope of Zipf's law is estimated.
    """
    slope = _zipf_slope(surprise)
    epsilon = slope - 1
    # ln(epsilon / (1 - n ** -epsilon)), which is -ln(ln n) where epsilon is 0.
    flat = epsilon.abs() < 1e-4
    safe = torch.where(flat, 1.0, epsilon)
    ratio = torch.where(flat, 1 / math.log(size), safe / -torch.expm1(-safe * math.log(size)))
    log_k = (ratio.log() + limit * math.log(2)) / slope
    # One more, as in the authors' own program.
    return log_k.clamp_max(math.log(size)).exp().round() + 1


def _zipf_slope(surprise: Float[Tensor, "b m"]) -> Float[Tensor, " b"]:
    """The least-squares estimate of Zipf's exponent s, equation 30 of the paper."""
    rank = torch.arange(1, surprise.shape[-1], device=surprise.device)
    t = ((rank + 1) / rank).log()
    b = surprise.diff(dim=-1) * math.log(2)  # ln(p_i / p_i+1)
    known = b.isfinite()  # impossible tokens do not count for the slope
    slope = (t * b.where(known, 0)).sum(-1) / (t.square() * known).sum(-1).clamp_min(1e-9)
    return slope.clamp_min(1e-3)  # a flat distribution has no slope
