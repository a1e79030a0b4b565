"""Distance of a waveform from the target: spectra at several resolutions, no phase.

Multi-resolution STFT loss after Yamamoto et al. 2020 (Parallel WaveGAN,
https://arxiv.org/abs/1910.11480), and an L1 distance of log-mel spectra.
"""

import torch
from attrs import frozen
from jaxtyping import Float
from torch import Tensor, nn

from vall_e_codecs.embedded.analysis import Analysis, AnalysisSettings

RESOLUTIONS = (2048, 1024, 512, 256)
"""Samples per transform; the hop is a quarter of it."""

QUIET = 1e-3
"""Magnitudes below it count as equal: -60 dB of a full-scale sine at the shortest transform."""


@frozen(eq=False)
class Distance:
    """Mean over batch and resolutions."""

    convergence: Float[Tensor, ""]
    """Share of the target's magnitude that is missing."""
    magnitude: Float[Tensor, ""]
    """Absolute difference of log-magnitudes, in nepers."""
    mel: Float[Tensor, ""]
    """Absolute difference of log-mel powers, in decibels."""

    @property
    def total(self) -> Float[Tensor, ""]:
        return self.convergence + self.magnitude + 0.15 * self.mel


class SpectralDistance(nn.Module):
    """Compares batches of waveforms with the same sample rate."""

    def __init__(self, analysis: AnalysisSettings) -> None:
        super().__init__()
        self.windows = nn.ParameterList(
            nn.Parameter(torch.hann_window(n), requires_grad=False) for n in RESOLUTIONS
        )
        self.mel = Analysis(analysis)

    def forward(self, made: Float[Tensor, "b s"], target: Float[Tensor, "b s"]) -> Distance:
        convergence, magnitude = [], []
        for window in self.windows:
            a, b = _magnitudes(made, window), _magnitudes(target, window)
            norm = torch.linalg.vector_norm
            ratio = norm(a - b, dim=(1, 2)) / norm(b, dim=(1, 2)).clamp(min=0.1)
            convergence.append(ratio.mean())
            magnitude.append(((a + QUIET * 32).log() - (b + QUIET * 32).log()).abs().mean())
        return Distance(
            convergence=torch.stack(convergence).mean(),
            magnitude=torch.stack(magnitude).mean(),
            mel=(self.mel(made) - self.mel(target)).abs().mean(),
        )


def _magnitudes(
    audio: Float[Tensor, "b s"], window: Float[Tensor, " n"]
) -> Float[Tensor, "b bins g"]:
    spectrum = torch.stft(
        audio,
        len(window),
        hop_length=len(window) // 4,
        window=window,
        pad_mode="constant",
        return_complex=True,
    )
    # the gradient of a magnitude is not defined at 0
    return (spectrum.real.square() + spectrum.imag.square()).clamp(min=1e-8).sqrt()
