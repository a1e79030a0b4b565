"""Text to speech as a continuation: `texts . language . level . prompt . response`."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import prompt, tail
from vall_e.tasks.options import ContinuedConfig


class Continued:
    """Speaks a text as the continuation of a recording with a known transcript.

    The two texts follow one another, each between its <bos> and <eos>.
    """

    name = "tts-c"
    target: Target = "response"
    markers: tuple[str, ...] = ("tts-c",)
    wants = Wants(voice="needed", transcript=True)

    def __init__(self, config: ContinuedConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        before = source.neighbour(rng)
        return Sample(
            text=text,
            language=language,
            prompt=before.codes if before else None,
            response=codes,
            prompt_text=before.text if before else None,
        )

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        texts = [sample.text] if sample.prompt_text is None else [sample.prompt_text, sample.text]
        return [
            Segment("text", torch.cat(texts)),
            *tail(sample, level, language=self.config.language),
            *prompt(sample),
            Segment.marker("tts-c"),
            Segment("response", sample.response),
        ]
