"""How much of a sentence the NAR stage writes at a time."""

from __future__ import annotations

from attrs import frozen


@frozen
class BlockWindow:
    """Blocks of `frames`, each with `ahead` more frames in view; 0 frames: the whole at once.

    Blocks depend only on the length of the sentence, so a stream that knows only its beginning
    writes the same codes as one that knows all of it.
    """

    frames: int = 0
    ahead: int = 0

    @classmethod
    def of(cls, seconds: float, ahead_seconds: float, frame_rate: float) -> BlockWindow:
        """At least one frame, if `seconds` is not 0."""
        frames = max(1, round(seconds * frame_rate)) if seconds else 0
        return cls(frames, round(ahead_seconds * frame_rate))

    def block(self, start: int, written: int, *, ended: bool) -> tuple[int, int] | None:
        """Where the block from frame `start` on ends, and the last frame that it sees.

        None until enough frames of level 0 are `written`.
        """
        end = start + self.frames
        if self.frames and written >= end + self.ahead:
            return end, end + self.ahead
        return (written, written) if ended and start < written else None


WHOLE = BlockWindow()
"""A sentence at once: each frame is written with all others in view."""
