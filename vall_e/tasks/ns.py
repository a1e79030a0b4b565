"""Noise suppression: `text . language . level . <ns> . input . response`.

After SpeechX (https://arxiv.org/abs/2308.06873).
"""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source
from vall_e.tasks.layout import Cleaning, sometimes_wordless


class NoiseSuppression(Cleaning):
    """Writes the speech of a recording without its noise."""

    name = "ns"
    markers: tuple[str, ...] = ("ns",)

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        noise = source.noise(codes.shape[1], rng)
        noisy = source.mixed(codes, noise, decibels=rng.uniform(*self.config.decibels))
        sample = Sample(text, language, prompt=None, response=codes, input=noisy)
        return sometimes_wordless(sample, self.config.without_text, rng)
