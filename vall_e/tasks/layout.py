"""What most sequences begin with."""

from __future__ import annotations

import random

import torch

from vall_e.interfaces import Sample, Segment
from vall_e.model.sequence import wordless


def head(sample: Sample, level: int, *, language: bool) -> list[Segment]:
    """`text . language . level`, the language only if the model is told it."""
    return [Segment("text", sample.text), *tail(sample, level, language=language)]


def tail(sample: Sample, level: int, *, language: bool) -> list[Segment]:
    """`language . level`."""
    told = [Segment("language", torch.tensor([sample.language]))] if language else []
    return [*told, Segment("level", torch.tensor([level]))]


def prompt(sample: Sample) -> list[Segment]:
    """The prompt, or nothing where there is none."""
    return [] if sample.prompt is None else [Segment("prompt", sample.prompt)]


def recording(sample: Sample, marker: str) -> list[Segment]:
    """What the task works on, after its marker."""
    worked_on = [] if sample.input is None else [Segment("input", sample.input)]
    return [Segment.marker(marker), *worked_on]


def sometimes_wordless(sample: Sample, share: float, rng: random.Random) -> Sample:
    """Without its text in so many cases, so that a request need not bring one."""
    return wordless(sample) if rng.random() < share else sample
