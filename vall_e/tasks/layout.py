"""What the sequences of several tasks have in common."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from vall_e.interfaces.task import Sample, Segment, Source, Target, Wants
from vall_e.model.sequence import wordless
from vall_e.tasks.options import LengthConfig, NoiseConfig, TtsConfig


def head(sample: Sample, level: int, *, language: bool) -> list[Segment]:
    """`text . language . level`, the language only if the model is conditioned on it."""
    return [Segment("text", sample.text), *tail(sample, level, language=language)]


def tail(sample: Sample, level: int, *, language: bool) -> list[Segment]:
    """`language . level`."""
    told = [Segment("language", torch.tensor([sample.language]))] if language else []
    return [*told, Segment("level", torch.tensor([level]))]


def prompt(sample: Sample) -> list[Segment]:
    """The prompt, or nothing if there is none."""
    return [] if sample.prompt is None else [Segment("prompt", sample.prompt, mix=sample.mix)]


def recording(sample: Sample, marker: str) -> list[Segment]:
    """The recording that the task works on, after its marker."""
    worked_on = [] if sample.input is None else [Segment("input", sample.input)]
    return [Segment.marker(marker), *worked_on]


def edited(sample: Sample, middle: list[Segment]) -> list[Segment]:
    """The recording with `middle` between two markers, in place of the part that is replaced."""
    start, stop = sample.edit or (0, 0)
    codes = torch.zeros(1, 0, dtype=torch.long) if sample.input is None else sample.input
    parts = [Segment("input", codes[:, :start]), Segment.marker("soe"), *middle]
    parts += [Segment.marker("eoe"), Segment("input", codes[:, stop:])]
    return [part for part in parts if len(part)]


class Spoken:
    """A task on a text in the voice of a prompt; what it predicts of that, a subclass says."""

    target: Target = "response"
    markers: tuple[str, ...] = ()
    wants = Wants()

    def __init__(self, config: TtsConfig | LengthConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        return Sample(text=text, language=language, prompt=source.prompt(rng), response=codes)

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *head(sample, level, language=self.config.language),
            *prompt(sample),
            self.predicted(sample),
        ]

    def predicted(self, sample: Sample) -> Segment:
        """The last segment."""
        raise NotImplementedError


class Cleaning:
    """A task that writes one of the two components of a noisy recording: speech or noise."""

    target: Target = "response"
    markers: tuple[str, ...]
    wants = Wants(text="optional", voice="unused", input="needed", noise=True)

    def __init__(self, config: NoiseConfig) -> None:
        self.config = config

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *head(sample, level, language=self.config.language),
            *recording(sample, *self.markers),
            Segment("response", sample.response),
        ]


def sometimes_wordless(sample: Sample, share: float, rng: random.Random) -> Sample:
    """Without its text in this share of cases, so that a request need not contain one."""
    return wordless(sample) if rng.random() < share else sample


def reading(sample: Sample, marker: str) -> list[Segment]:
    """The text that the task works on, after its marker."""
    read = [] if sample.read is None else [Segment("read", sample.read)]
    return [Segment.marker(marker), *read]
