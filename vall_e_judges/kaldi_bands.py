"""Log-mel energies as Kaldi computes them, which its descendants' speaker networks ask for.

Frames of 25 ms each 10 ms that lie wholly inside, no dither, 80 triangles from 20 Hz to 8 kHz on
the mel scale 1127 ln(1 + f / 700), and the mean of each band over time taken off.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

SAMPLE_RATE = 16_000
WINDOW, HOP, FFT, BANDS = 400, 160, 512, 80
LOWEST_HERTZ = 20.0
EMPHASIS = 0.97
FULL_SCALE = 32_768
"""Kaldi reads 16-bit numbers; the floor of an empty band is that of such."""


class KaldiBands(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.window: Tensor
        self.bands: Tensor
        hann = torch.hann_window(WINDOW, periodic=False, dtype=torch.float64)
        self.register_buffer("window", hann.pow(0.85).float(), persistent=False)  # "Povey"
        self.register_buffer("bands", mel_triangles(), persistent=False)

    def forward(self, samples: Float[Tensor, " s"]) -> Float[Tensor, "f 80"]:
        """Samples in [-1, 1]; at least `WINDOW` of them."""
        frames = (samples * FULL_SCALE).unfold(0, WINDOW, HOP)
        frames = frames - frames.mean(1, keepdim=True)
        before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
        spectrum = torch.fft.rfft((frames - EMPHASIS * before) * self.window, n=FFT)
        energies = spectrum.abs().square() @ self.bands.T
        floor = torch.finfo(torch.float32).eps
        found: Tensor = energies.clamp(min=floor).log()
        return found - found.mean(0)


def mel_triangles() -> Float[Tensor, "80 n"]:
    """Weights of the transform's bins; triangles that are straight on the mel scale."""
    edges = torch.linspace(_mel(LOWEST_HERTZ), _mel(SAMPLE_RATE / 2), BANDS + 2, dtype=torch.double)
    bins = torch.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1, dtype=torch.double)
    mels = 1127 * torch.log1p(bins / 700)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (mels - low) / (middle - low), (high - mels) / (high - middle)
    return torch.minimum(rising, falling).clamp(min=0).float()


def _mel(hertz: float) -> float:
    return float(1127 * torch.log1p(torch.tensor(hertz / 700, dtype=torch.double)))
