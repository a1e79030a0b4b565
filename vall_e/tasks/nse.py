"""Noisy speech editing: `text . language . level . input <soe> input <eoe> input . response`.

After SpeechX (https://arxiv.org/abs/2308.06873). A separator stands between all of them.
"""

from __future__ import annotations

import random

import torch
from attrs import evolve
from torch import Tensor

from vall_e.interfaces.task import Recorded, Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.edit_samples import Splice
from vall_e.tasks.layout import edited, head
from vall_e.tasks.options import NoisyEditingConfig


class NoisyEditing:
    """Replaces part of a noisy recording over the same noise, which the replaced part still has."""

    name = "nse"
    target: Target = "response"
    markers: tuple[str, ...] = ("soe", "eoe")
    wants = Wants(voice="unused", input="needed", edit=True, neighbours=True, noise=True)

    def __init__(self, config: NoisyEditingConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        clean = Splice.draw(
            Recorded(text, codes), source, rng, only_one_side=self.config.only_one_side
        )
        noisy = self._noisy(clean, source, rng)
        return Sample(
            clean.text(source),
            language,
            prompt=None,
            response=noisy.result(),
            input=noisy.recording(),
            edit=clean.edit,
        )

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        start, stop = sample.edit or (0, 0)
        old = [] if sample.input is None else [Segment("input", sample.input[:, start:stop])]
        return [
            *head(sample, level, language=self.config.language),
            *edited(sample, old),
            Segment("response", sample.response),
        ]

    def _noisy(self, clean: Splice, source: Source, rng: random.Random) -> Splice:
        """Mixed as one waveform, so that the kept parts have the same codes before and after."""
        parts = [clean.before, clean.new, clean.after, clean.old]
        lengths = [part.codes.shape[1] if part else 0 for part in parts]
        whole = torch.cat([part.codes for part in parts if part], dim=1)
        noise = source.noise(whole.shape[1], rng)
        mixed = source.mixed(whole, noise, decibels=rng.uniform(*self.config.decibels))
        before, new, after, old = (
            evolve(part, codes=codes) if part else None
            for part, codes in zip(parts, torch.split(mixed, lengths, dim=1), strict=True)
        )
        if new is None or old is None:
            raise ValueError("both are always there")
        return Splice(before, old, new, after)
