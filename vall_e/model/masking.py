"""Masked level 0: frames that the model fills in, in any order.

MaskGIT (Chang et al., https://arxiv.org/abs/2202.04200), for speech as in MaskGCT and SoundStorm.
"""

from __future__ import annotations

import math
import random
from typing import Literal

import torch
from attrs import evolve, frozen

from vall_e.config.schema import RunConfig
from vall_e.model.sequence import Example, Segment


@frozen
class MaskSchedule:
    """The share of frames that is masked at a time: all at 0, none at 1."""

    name: Literal["cosine", "linear"] = "cosine"

    def __call__(self, time: float) -> float:
        return math.cos(time * math.pi / 2) if self.name == "cosine" else 1.0 - time


COSINE = MaskSchedule()


@frozen
class Masking:
    """How training masks. A value, so that loader processes can receive it."""

    mask: int
    """The id of a masked frame: the first that is not a code."""
    share: float
    """Share of the level 0 examples that are masked."""
    times: tuple[float, float] = (0.0, 1.0)
    """The time of an example is drawn uniformly from this range."""
    schedule: MaskSchedule = COSINE

    @classmethod
    def of(cls, config: RunConfig, codebook_size: int) -> Masking | None:
        """The masking of a run: none without `len`, all of level 0 without `ar`."""
        options, capabilities = config.training, config.model.capabilities
        if "len" not in capabilities:
            return None
        share = options.masked if "ar" in capabilities else 1.0
        return cls(codebook_size, share, options.mask_times, MaskSchedule(options.mask_schedule))

    def __call__(self, example: Example, rng: random.Random) -> Example:
        """The example, or with probability `share` its level 0 with masked frames."""
        if example.stage != "ar" or rng.random() >= self.share:
            return example
        frames = len(example.target)
        ratio = self.schedule(rng.uniform(*self.times))
        count = min(frames, max(1, math.ceil(ratio * frames)))
        return masked(example, rng.sample(range(frames), count), self.mask)


def masked(example: Example, places: list[int], mask: int) -> Example:
    """An example of level 0 with masked frames at `places`."""
    codes = example.target.ids[0]
    shown = codes.clone()
    shown[places] = mask
    segment = Segment("masked", torch.stack([shown, codes]))
    return evolve(example, segments=(*example.segments[:-1], segment))
