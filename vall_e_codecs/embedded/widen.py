"""A vocoder for a higher sample rate, begun from one that was trained at a lower."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from attrs import evolve
from jaxtyping import Float
from torch import Tensor

from vall_e_codecs.embedded.vocoder import VocoderSettings

SOFTER = 3.0
"""Nepers by which the bins that are new start below the highest bins that were trained."""
NEIGHBOURS = 8
"""Trained bins whose mean the new ones start from."""


def settings_at(settings: VocoderSettings, hop: int) -> VocoderSettings:
    """The same network and frames, with `hop` samples a frame."""
    return evolve(settings, hop=hop, fft=settings.fft * hop // settings.hop)


def widened(
    weights: Mapping[str, Tensor], settings: VocoderSettings, wider: VocoderSettings
) -> dict[str, Tensor]:
    """Weights for `wider = settings_at(settings, more)` that make the same sound at first.

    A bin of the head stands for the same frequency at both rates. Magnitudes grow with the
    transform's length. Bins above the old bandwidth begin soft, with random phases.
    """
    shape = (settings.subframes, 2, settings.fft // 2 + 1)
    rows = weights["head.weight"].reshape(*shape, -1)
    biases = weights["head.bias"].reshape(*shape, 1)
    bins = wider.fft // 2 + 1
    magnitudes = _more_bins(biases[:, 0], bins, less=SOFTER) + math.log(wider.fft / settings.fft)
    phases = _random_bins(biases[:, 1], bins, math.pi)
    return {
        **weights,
        "head.weight": torch.stack(
            [_more_bins(rows[:, 0], bins, less=0.0), _random_bins(rows[:, 1], bins, 0.02)], 1
        ).flatten(0, 2),
        "head.bias": torch.stack([magnitudes, phases], 1).flatten(),
    }


def _more_bins(
    found: Float[Tensor, "g n w"], bins: int, *, less: float
) -> Float[Tensor, "g more w"]:
    """Each new bin is the mean of the highest ones, less something."""
    mean = found[:, -1 - NEIGHBOURS : -1].mean(1, keepdim=True) - less
    kept = found[:, :-1]  # the last is half a bin, at the edge of the band
    return torch.cat([kept, mean.expand(-1, bins - kept.shape[1], -1)], 1)


def _random_bins(
    found: Float[Tensor, "g n w"], bins: int, spread: float
) -> Float[Tensor, "g more w"]:
    groups, count, width = found.shape
    chance = torch.Generator().manual_seed(0)
    new = spread * torch.randn(groups, bins - count + 1, width, generator=chance)
    return torch.cat([found[:, :-1], new], 1)
