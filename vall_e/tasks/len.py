"""Predicts the spoken length of a text: `text . language . level . prompt . length`.

The length is that of the response, in frames, as decimal digits between a 0 and a 10 (the end), in
the layout of e-c-k-e-r/vall-e.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vall_e.interfaces.task import Sample, Target
from vall_e.model.embedding import LENGTH_END
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import Spoken


class Length(Spoken):
    """Predicts how many frames the text takes in the voice of the prompt."""

    name = "len"
    target: Target = "length"

    def predicted(self, sample: Sample) -> Segment:
        return Segment("length", _digits(sample.response.shape[1]))


def _digits(number: int) -> Tensor:
    """A 0, its decimal digits, a 10."""
    return torch.tensor([0, *map(int, str(number)), LENGTH_END])
