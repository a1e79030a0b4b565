"""Codes made in blocks by a codec: position, length and loudness of each block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from attrs import cmp_using, evolve, field, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float32, Int64

_same = cmp_using(eq=np.array_equal)


@frozen
class Blocks:
    """The first `frames[0]` columns of some codes are the first block, and so on.

    `starts` are samples of the recording, in order; blocks may overlap. The audio of a block is
    multiplied by its `loudness`.
    """

    starts: Int64[np.ndarray, " n"] = field(eq=_same)
    frames: Int64[np.ndarray, " n"] = field(eq=_same)
    loudness: Float32[np.ndarray, " n"] = field(eq=_same)

    @classmethod
    def of(cls, blocks: Sequence[tuple[int, int, float]]) -> Self:
        """Create from start, frames and loudness of each block."""
        starts, frames, loudness = zip(*blocks, strict=True) if blocks else ((), (), ())
        return cls(
            np.array(starts, np.int64), np.array(frames, np.int64), np.array(loudness, np.float32)
        )

    def end(self, frame_samples: int) -> int:
        """Samples up to the end of the last block."""
        return int((self.starts + self.frames * frame_samples).max(initial=0))

    @classmethod
    def join(cls, parts: Sequence[Blocks], frame_samples: int) -> Self:
        """Join in sequence."""
        ends = np.cumsum([0, *(part.end(frame_samples) for part in parts[:-1])])
        return cls(
            np.concatenate([part.starts + end for part, end in zip(parts, ends, strict=True)]),
            np.concatenate([part.frames for part in parts]),
            np.concatenate([part.loudness for part in parts]),
        )

    def cut(self, first: int, last: int, frame_samples: int) -> tuple[list[int], Self]:
        """The columns whose frames begin in a range of samples, and their blocks."""
        columns, kept, before = [], [], 0
        for start, frames, loudness in zip(self.starts, self.frames, self.loudness, strict=True):
            begins = start + frame_samples * np.arange(frames)
            [inside] = np.nonzero((first <= begins) & (begins < last))
            columns += [before + int(column) for column in inside]
            if inside.size:
                kept.append((int(begins[inside[0]]), int(inside.size), float(loudness)))
            before += int(frames)
        found = type(self).of(kept)
        return columns, evolve(found, starts=found.starts - found.starts.min(initial=last))
