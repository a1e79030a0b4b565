"""Speech to text: `<stt> . input . language . level . text`, the text in phonemes."""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import recording, tail
from vall_e.tasks.options import RecognitionConfig


class Recognition:
    """Transcribes a recording as phonemes."""

    name = "stt"
    target: Target = "text"
    markers: tuple[str, ...] = ("stt",)
    wants = Wants(text="unused", voice="unused", input="needed")

    def __init__(self, config: RecognitionConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        return Sample(text, language, prompt=None, response=codes[:, :0], input=codes)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *recording(sample, "stt"),
            *tail(sample, level, language=self.config.language),
            Segment("text", sample.text[1:-1]),
        ]
