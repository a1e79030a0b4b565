"""Recordings of a lower sample rate among others: no opinion on what they cannot hold."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

ROLL_OFF = 0.85, 0.95
"""Shares of a recording's bandwidth between which it fades out: resamplers keep less than all."""


def fill_above(
    target: Float[Tensor, "b s"],
    made: Float[Tensor, "b s"],
    bandwidths: Float[Tensor, " b"],
    sample_rate: int,
) -> Float[Tensor, "b s"]:
    """The target, with what was made above each recording's bandwidth (Hz) put in.

    No loss then differs up there, so its gradient is zero: a recording of 16 kHz teaches nothing
    about the band above 8 kHz. A bandwidth of half the sample rate leaves the target as it is.
    """
    length = target.shape[1]
    hertz = torch.linspace(0, sample_rate / 2, length // 2 + 1, device=target.device)
    low, high = (share * bandwidths[:, None] for share in ROLL_OFF)
    kept = ((high - hertz) / (high - low)).clamp(0, 1)
    kept = torch.where(bandwidths[:, None] >= sample_rate / 2, torch.ones_like(kept), kept)
    spectrum = kept * torch.fft.rfft(target) + (1 - kept) * torch.fft.rfft(made.detach())
    filled: Tensor = torch.fft.irfft(spectrum, n=length)
    return filled
