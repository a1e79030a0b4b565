"""Predicts the spoken length of a text: `text . language . level . prompt . length`.

The length is that of the response, in frames, as decimal digits between a 0 and a 10 (the end), in
the layout of e-c-k-e-r/vall-e.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

from vall_e.interfaces.task import Sample, Source, Target, Wants
from vall_e.model.embedding import LENGTH_END
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import head, prompt
from vall_e.tasks.options import LengthConfig


class Length:
    """Predicts how many frames the text takes in the voice of the prompt."""

    name = "len"
    target: Target = "length"
    markers: tuple[str, ...] = ()
    wants = Wants()

    def __init__(self, config: LengthConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        return Sample(text=text, language=language, prompt=source.prompt(rng), response=codes)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *head(sample, level, language=self.config.language),
            *prompt(sample),
            Segment("length", _digits(sample.response.shape[1])),
        ]


def _digits(number: int) -> Tensor:
    """A 0, its decimal digits, a 10."""
    return torch.tensor([0, *map(int, str(number)), LENGTH_END])
