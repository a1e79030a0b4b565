"""Discriminators between generated and recorded audio, and the vocoder's adversarial losses.

Two kinds process a waveform: folded at prime periods (HiFi-GAN, Kong et al. 2020,
https://arxiv.org/abs/2010.05646) and as complex spectra of several resolutions (EnCodec, Défossez
et al. 2022, https://arxiv.org/abs/2210.13438). Hinge loss, and an L1 distance of hidden features.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from attrs import frozen
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, relu
from torch.nn.utils.parametrizations import weight_norm

PERIODS = (2, 3, 5, 7, 11)
RESOLUTIONS = (1024, 512, 256)
"""Samples per transform; the hop is a quarter of it."""

Features = list[Tensor]
"""Outputs of the layers of one discriminator; the last are its scores."""


class Adversary(nn.Module):
    """All discriminators. `channels` of the first layers; 32 is usual, 8 is feasible on a CPU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.judges = nn.ModuleList(
            [
                *(PeriodJudge(period, channels) for period in PERIODS),
                *(SpectrumJudge(fft, channels) for fft in RESOLUTIONS),
            ]
        )

    def forward(self, audio: Float[Tensor, "b s"]) -> list[Features]:
        return [judge(audio) for judge in self.judges]

    def own_loss(
        self, made: Float[Tensor, "b s"], target: Float[Tensor, "b s"]
    ) -> Float[Tensor, ""]:
        """The discriminators' loss; ideal scores are 1 or more for recordings, else -1 or less."""
        losses = [
            relu(1 - real[-1]).mean() + relu(1 + fake[-1]).mean()
            for real, fake in zip(self(target), self(made.detach()), strict=True)
        ]
        return torch.stack(losses).mean()

    def verdict(
        self, made: Float[Tensor, "b s"], target: Float[Tensor, "b s"]
    ) -> AdversarialLosses:
        """The vocoder's losses. Gradients reach the discriminators too: discard them."""
        with torch.no_grad():
            wanted = self(target)
        found = self(made)
        return AdversarialLosses(
            deceit=torch.stack([relu(1 - fake[-1]).mean() for fake in found]).mean(),
            features=torch.stack(
                [_difference(fake, real) for fake, real in zip(found, wanted, strict=True)]
            ).mean(),
        )


@frozen(eq=False)
class AdversarialLosses:
    """Two losses of the vocoder."""

    deceit: Float[Tensor, ""]
    """How clearly the generated audio was distinguished from a recording."""
    features: Float[Tensor, ""]
    """Distance of hidden features from the recording's, relative to their size."""


class PeriodJudge(nn.Module):
    """Processes a waveform as an image of `period` columns."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = [1, channels, 2 * channels, 4 * channels, 8 * channels]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), stride=(3, 1), padding=(2, 0)))
            for a, b in pairwise(widths)
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: Float[Tensor, "b s"]) -> Features:
        audio = pad(audio, (0, -audio.shape[1] % self.period))
        image = audio.reshape(len(audio), 1, -1, self.period)
        return _run(image, self.layers, self.score)


class SpectrumJudge(nn.Module):
    """Processes the real and imaginary parts of a spectrogram."""

    def __init__(self, fft: int, channels: int) -> None:
        super().__init__()
        self.fft = fft
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(fft), persistent=False)
        first = weight_norm(nn.Conv2d(2, channels, (7, 3), stride=(2, 1), padding=(3, 1)))
        more = [
            weight_norm(
                nn.Conv2d(channels, channels, (5, 3), (2, 1), padding=(2, d), dilation=(1, d))
            )
            for d in (1, 2, 4)
        ]
        self.layers = nn.ModuleList([first, *more])
        self.score = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, audio: Float[Tensor, "b s"]) -> Features:
        spectrum = torch.stft(
            audio,
            self.fft,
            hop_length=self.fft // 4,
            window=self.window,
            pad_mode="constant",
            normalized=True,
            return_complex=True,
        )
        image = torch.view_as_real(spectrum).permute(0, 3, 1, 2)  # (b, 2, bins, frames)
        return _run(image, self.layers, self.score)


def _run(image: Tensor, layers: nn.ModuleList, score: nn.Module) -> Features:
    seen = []
    for layer in layers:
        image = leaky_relu(layer(image), 0.1)
        seen.append(image)
    return [*seen, score(image)]


def _difference(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Mean over the hidden layers; the scores are not compared."""
    shares = [
        (a - b).abs().mean() / b.abs().mean().clamp(min=1e-3)
        for a, b in zip(found[:-1], wanted[:-1], strict=True)
    ]
    return torch.stack(shares).mean()
