"""Waveform to vectors, one per code frame: fixed signal processing without learned parts.

A code frame of 20 ms holds two log-mel sub-frames, stacked, so that a vector shows how the
spectrum moves within the frame. Power below the noise floor is flattened: the content there,
mostly rounding noise above a source's own bandwidth, must not use up codes.
"""

from __future__ import annotations

import math
from fractions import Fraction

import torch
from attrs import evolve, field, frozen, validators
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

positive = validators.gt(0)


@frozen
class AnalysisSettings:
    """All settings that affect the vectors. Part of the codec's identity."""

    sample_rate: int = field(default=16_000, validator=positive)
    """Hz."""
    hop: int = field(default=320, validator=positive)
    """Samples per code frame."""
    subframes: int = field(default=2, validator=positive)
    """Spectra per code frame."""
    window: int = field(default=512, validator=positive)
    """Samples seen by one spectrum, centred on its sub-frame."""
    bands: int = field(default=80, validator=positive)
    """Mel bands from 0 Hz to half the sample rate."""
    floor: float = field(default=1e-8, validator=validators.gt(0.0))
    """Power added to every band; a sine of full scale has power 1 in its bin."""

    @property
    def dimension(self) -> int:
        """Size of the vector of one code frame."""
        return self.subframes * self.bands

    @property
    def fft(self) -> int:
        """Length of the transform: twice the window, so that no narrow low band is empty."""
        return 2 * self.window

    def at(self, sample_rate: int) -> AnalysisSettings:
        """The same frames and windows, counted in samples of another rate."""
        sizes = [Fraction(n * sample_rate, self.sample_rate) for n in (self.hop, self.window)]
        if any(size.denominator > 1 for size in sizes) or sizes[0] % self.subframes:
            raise ValueError(
                f"at {sample_rate} Hz, hop ({self.hop}) and window ({self.window}) of "
                f"{self.sample_rate} Hz are no whole samples"
            )
        hop, window = map(int, sizes)
        return evolve(self, sample_rate=sample_rate, hop=hop, window=window)


class Analysis(torch.nn.Module):
    """Log-mel vectors in decibels, `ceil(s / hop)` of them; the end is padded with silence.

    Audio of a higher `sample_rate` than that of the settings gives the vectors that it would give
    if it were resampled first: its transform has the same bins, and more, which are not looked at.
    """

    def __init__(self, settings: AnalysisSettings, sample_rate: int | None = None) -> None:
        super().__init__()
        bands = mel_bands(settings)
        settings = settings.at(sample_rate or settings.sample_rate)
        self.settings = settings
        self.window: Tensor
        self.bands: Tensor
        self.register_buffer("window", torch.hann_window(settings.window), persistent=False)
        self.register_buffer("bands", bands, persistent=False)

    def forward(self, audio: Float[Tensor, "b s"]) -> Float[Tensor, "b f d"]:
        s = self.settings
        frames = -(-audio.shape[1] // s.hop)
        if not frames:
            return audio.new_zeros(len(audio), 0, s.dimension)
        step = s.hop // s.subframes
        left = (s.window - step) // 2  # the window's centre is that of its sub-frame
        length = s.window + (frames * s.subframes - 1) * step
        audio = pad(audio, (left, length - left - audio.shape[1]))
        chunks = audio.unfold(1, s.window, step) * self.window  # (b, subframes * f, window)
        spectrum = torch.fft.rfft(chunks, n=s.fft)[..., : self.bands.shape[1]]
        power = spectrum.abs().square() * (2 / self.window.sum()) ** 2
        decibels = 10 * torch.log10(power @ self.bands.T + s.floor)
        return decibels.reshape(len(audio), frames, s.dimension)


def mel_bands(settings: AnalysisSettings) -> Float[Tensor, "m n"]:
    """Triangles over the bins of the transform; each sums to one: a band is a mean power."""
    bins = torch.linspace(0, settings.sample_rate / 2, settings.fft // 2 + 1, dtype=torch.float64)
    top = _mel(settings.sample_rate / 2)
    edges = torch.tensor(
        [_hertz(top * i / (settings.bands + 1)) for i in range(settings.bands + 2)],
        dtype=torch.float64,
    )
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = torch.minimum(rise, fall).clamp(min=0)
    return (triangles / triangles.sum(1, keepdim=True)).float()


def _mel(hertz: float) -> float:
    """Slaney's scale: linear to 1 kHz, logarithmic above (Auditory Toolbox, 1998)."""
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)


def _hertz(mel: float) -> float:
    return mel * 200 / 3 if mel < 15 else 1000 * math.exp((mel - 15) * math.log(6.4) / 27)
