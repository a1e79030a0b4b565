"""What the model reads: named segments, and examples made of them."""

from __future__ import annotations

from attrs import frozen

from vall_e.interfaces import Segment, SegmentName

__all__ = ["Example", "Segment", "SegmentName"]


@frozen(eq=False)
class Example:
    """A sequence and the RVQ level that it predicts. The target is the last segment.

    To train on, the target holds levels 0..level; to draw from, the levels before `level` (and
    for level 0 the frames drawn so far).
    """

    segments: tuple[Segment, ...]
    level: int

    def __len__(self) -> int:
        """Positions of the sequence; between two segments stands a separator."""
        return sum(map(len, self.segments)) + len(self.segments) - 1

    @property
    def target(self) -> Segment:
        return self.segments[-1]
