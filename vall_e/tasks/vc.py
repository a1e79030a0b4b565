"""Voice conversion: `language . level . prompt . <vc> . input . response`."""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import prompt, recording, tail
from vall_e.tasks.options import ConversionConfig


class Conversion:
    """Speaks the words of a recording in the voice of the prompt.

    It learns from sentences that several speakers say: one is the input, the other the response.
    """

    name = "vc"
    target: Target = "response"
    markers: tuple[str, ...] = ("vc",)
    wants = Wants(text="unused", voice="needed", input="needed", twins=True)

    def __init__(self, config: ConversionConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        return Sample(
            text=text,
            language=language,
            prompt=source.prompt(rng),
            response=codes,
            input=source.twin(rng).codes,
        )

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *tail(sample, level, language=self.config.language),
            *prompt(sample),
            *recording(sample, "vc"),
            Segment("response", sample.response),
        ]
