"""Noise suppression: `text . language . level . <ns> . input . response`.

After SpeechX (https://arxiv.org/abs/2308.06873).
"""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.components import NoiseConfig
from vall_e.tasks.layout import head, recording, sometimes_wordless


class NoiseSuppression:
    """Writes the speech of a recording without its noise."""

    name = "ns"
    target: Target = "response"
    markers: tuple[str, ...] = ("ns",)
    wants = Wants(text="optional", voice="unused", input="needed", noise=True)

    def __init__(self, config: NoiseConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        noise = source.noise(codes.shape[1], rng)
        noisy = source.mixed(codes, noise, decibels=rng.uniform(*self.config.decibels))
        sample = Sample(text, language, prompt=None, response=codes, input=noisy)
        return sometimes_wordless(sample, self.config.without_text, rng)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *head(sample, level, language=self.config.language),
            *recording(sample, "ns"),
            Segment("response", sample.response),
        ]
