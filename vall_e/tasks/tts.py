"""Text to speech: `text . language . level . prompt . response`."""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import head, prompt
from vall_e.tasks.options import TtsConfig


class Tts:
    """Speaks a text in the voice of the prompt; without a prompt, in an arbitrary voice."""

    name = "tts"
    target: Target = "response"
    markers: tuple[str, ...] = ()
    wants = Wants()

    def __init__(self, config: TtsConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        return Sample(text=text, language=language, prompt=source.prompt(rng), response=codes)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *head(sample, level, language=self.config.language),
            *prompt(sample),
            Segment("response", sample.response),
        ]
