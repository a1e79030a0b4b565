"""What the model reads: named segments, and examples made of them."""

from __future__ import annotations

from typing import Literal

from attrs import frozen
from torch import Tensor

SegmentName = Literal["text", "language", "level", "prompt", "response"]


@frozen(eq=False)
class Segment:
    """A named run of the sequence, embedded by its own table.

    `ids` is (n,) for text, language and level; codes (levels, frames) for prompt and response.
    """

    name: SegmentName
    ids: Tensor

    def __len__(self) -> int:
        return int(self.ids.shape[-1])


@frozen(eq=False)
class Example:
    """A sequence and the RVQ level that it predicts. The target is the last segment.

    To train on, the target holds levels 0..level; to draw from, the levels before `level` (and
    for level 0 the frames drawn so far).
    """

    segments: tuple[Segment, ...]
    level: int

    @property
    def target(self) -> Segment:
        return self.segments[-1]
