"""Text to speech: `text . language . level . prompt . response`."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from vall_e.interfaces import Sample, Source
from vall_e.model.sequence import Segment
from vall_e.tasks.components import TtsConfig


class Tts:
    """Says a text in the voice of the prompt; without a prompt, in any voice."""

    name = "tts"
    target = "response"

    def __init__(self, config: TtsConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        return Sample(text=text, language=language, prompt=source.prompt(rng), response=codes)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        segments = [Segment("text", sample.text)]
        if self.config.language:
            segments.append(Segment("language", torch.tensor([sample.language])))
        segments.append(Segment("level", torch.tensor([level])))
        if sample.prompt is not None:
            segments.append(Segment("prompt", sample.prompt))
        return [*segments, Segment("response", sample.response)]
