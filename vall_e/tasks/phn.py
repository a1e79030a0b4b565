"""Text to phonemes: `<phn> . read . language . level . text`."""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import reading, tail
from vall_e.tasks.options import PhonemizationConfig


class Phonemization:
    """Converts spelled text to phonemes, as the data's phonemizer would."""

    name = "phn"
    target: Target = "text"
    markers: tuple[str, ...] = ("phn",)
    wants = Wants(voice="unused", spelling="read")

    def __init__(self, config: PhonemizationConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        nothing = codes[:, :0]
        return Sample(text, language, prompt=None, response=nothing, read=source.spelling())

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *reading(sample, "phn"),
            *tail(sample, level, language=self.config.language),
            Segment("text", sample.text[1:-1]),
        ]
