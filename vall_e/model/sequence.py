"""The model's input: named segments, and examples made of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from attrs import evolve, frozen

from vall_e.interfaces.task import Sample, Segment, SegmentName
from vall_e.text.vocabulary import BOS, EOS

__all__ = [
    "CAPABILITY",
    "Condition",
    "Example",
    "Segment",
    "SegmentName",
    "kinds_of",
    "without",
    "wordless",
]

CAPABILITY = {"ar": "ar", "nar": "nar", "text": "ar", "masked": "len", "length": "len"}
"""The capability that each stage of an example needs."""

Condition = Literal["text", "prompt"]
"""Conditions that a sample can do without."""


@frozen(eq=False)
class Example:
    """A sequence and the RVQ level that it predicts. The target is the last segment.

    In training the target holds levels 0..level; in inference the levels before `level` (and
    for level 0 the frames generated so far).
    """

    segments: tuple[Segment, ...]
    level: int

    def __len__(self) -> int:
        """Positions of the sequence; there is a separator between two segments."""
        return sum(map(len, self.segments)) + len(self.segments) - 1

    @property
    def target(self) -> Segment:
        return self.segments[-1]

    @property
    def parallel(self) -> bool:
        """All of the target is predicted at once, given all of it."""
        return self.level > 0 or self.target.name == "masked"

    @property
    def stage(self) -> str:
        """`ar` or `nar` for codes by level, otherwise the target: `masked`, `text`, `length`."""
        if self.target.name not in ("response", "steps"):
            return self.target.name
        return "nar" if self.level else "ar"

    @property
    def predicted(self) -> int:
        """Number of predicted tokens; those of the AR stage and of a text include an end."""
        if self.target.name == "masked":
            return int((self.target.ids[0] != self.target.ids[1]).sum())
        return len(self.target) + (self.stage in ("ar", "text"))


def kinds_of(example: Example) -> list[str]:
    """The segment that each position belongs to; a separator belongs to the one before it.

    One more than there are positions: what follows the target is its end, and belongs to it. A
    target that is not a text or length is the response, however it is laid out.
    """
    names = [segment.name for segment in example.segments]
    if names[-1] not in ("text", "length"):
        names[-1] = "response"
    pairs = zip(names, example.segments, strict=True)
    return [name for name, segment in pairs for _ in range(len(segment) + 1)]


def wordless(sample: Sample) -> Sample:
    """The sample with an empty text."""
    return evolve(sample, text=sample.text.new_tensor([BOS, EOS]))


def without(sample: Sample, left_out: Collection[Condition]) -> Sample:
    """The sample with an empty text, without a prompt, or both."""
    if "text" in left_out:
        sample = wordless(sample)
    if "prompt" in left_out:
        sample = evolve(sample, prompt=None, prompt_text=None, mix=())
    return sample
