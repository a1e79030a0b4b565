"""Speech removal: `text . language . level . <sr> . input . response`.

After SpeechX (https://arxiv.org/abs/2308.06873).
"""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source
from vall_e.tasks.layout import Cleaning, sometimes_wordless


class SpeechRemoval(Cleaning):
    """Writes the background of a recording without the speech in it."""

    name = "sr"
    markers: tuple[str, ...] = ("sr",)

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        noise = source.noise(codes.shape[1], rng)
        # The noise keeps its level, so that its codes are those of the target.
        noisy = source.mixed(noise, codes, decibels=-rng.uniform(*self.config.decibels))
        sample = Sample(text, language, prompt=None, response=noise, input=noisy)
        return sometimes_wordless(sample, self.config.without_text, rng)
