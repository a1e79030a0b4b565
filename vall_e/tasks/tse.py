"""Target speaker extraction: `text . language . level . prompt . <tse> . input . response`.

After SpeechX (https://arxiv.org/abs/2308.06873).
"""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import head, prompt, recording, sometimes_wordless
from vall_e.tasks.options import ExtractionConfig


class Extraction:
    """Writes the speech of one of two overlapping speakers: the speaker of the prompt."""

    name = "tse"
    target: Target = "response"
    markers: tuple[str, ...] = ("tse",)
    wants = Wants(text="optional", voice="needed", input="needed", strangers=True)

    def __init__(self, config: ExtractionConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        other = source.stranger(codes.shape[1], rng)
        both = source.mixed(codes, other, decibels=rng.uniform(*self.config.decibels))
        sample = Sample(text, language, source.prompt(rng), response=codes, input=both)
        if sample.prompt is None:  # then only the text identifies the speaker
            return sample
        return sometimes_wordless(sample, self.config.without_text, rng)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *head(sample, level, language=self.config.language),
            *prompt(sample),
            *recording(sample, "tse"),
            Segment("response", sample.response),
        ]
