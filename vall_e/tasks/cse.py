"""Clean speech editing: `text . language . level . input <soe> <mask> <eoe> input . response`.

After SpeechX (https://arxiv.org/abs/2308.06873). A separator stands between all of them.
"""

from __future__ import annotations

import random

from torch import Tensor

from vall_e.interfaces.task import Recorded, Sample, Source, Target, Wants
from vall_e.model.sequence import Segment
from vall_e.tasks.edit_samples import Splice
from vall_e.tasks.layout import edited, head
from vall_e.tasks.options import EditingConfig


class Editing:
    """Replaces part of a recording: the model gets the audio around it and the whole text."""

    name = "cse"
    target: Target = "response"
    markers: tuple[str, ...] = ("soe", "mask", "eoe")
    wants = Wants(voice="unused", input="needed", edit=True, neighbours=True)

    def __init__(self, config: EditingConfig) -> None:
        self.config = config

    def sample(
        self, *, text: Tensor, language: int, codes: Tensor, source: Source, rng: random.Random
    ) -> Sample:
        splice = Splice.draw(
            Recorded(text, codes), source, rng, only_one_side=self.config.only_one_side
        )
        return Sample(
            splice.text(source),
            language,
            prompt=None,
            response=splice.result(),
            input=splice.recording(),
            edit=splice.edit,
        )

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        return [
            *head(sample, level, language=self.config.language),
            *edited(sample, [Segment.marker("mask")]),
            Segment("response", sample.response),
        ]
