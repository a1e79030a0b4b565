"""Phonemes to text: `<un-phn> . read . language . level . text`."""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import reading, tail
from vall_e.tasks.options import UnphonemizationConfig


class Unphonemization:
    """Converts phonemes to spelled text."""

    name = "un-phn"
    target: Target = "text"
    markers: tuple[str, ...] = ("un-phn",)
    wants = Wants(voice="unused", spelling="written")

    def __init__(self, config: UnphonemizationConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        nothing = codes[:, :0]
        return Sample(source.spelling(), language, prompt=None, response=nothing, read=text)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *reading(sample, "un-phn"),
            *tail(sample, level, language=self.config.language),
            Segment("text", sample.text[1:-1]),
        ]
