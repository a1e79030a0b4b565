"""When a sentence may end, and which lengths indicate a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from vall_e.config.synthesis import SynthesisConfig


class HoldStop:
    """A logits processor that keeps the AR stage from ending before its first frame.

    With `fewest`, no row ends before its own number of frames.
    """

    def __init__(self, stop: int, fewest: Int[Tensor, " b"] | None = None) -> None:
        self.stop = stop
        self._fewest = fewest
        # Computed once, so that later frames cost nothing.
        self._held = 1 if fewest is None else max(1, int(fewest.max()))

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        written = history.shape[1]
        if written >= self._held:
            return logits
        logits = logits.clone()
        stops = logits[:, self.stop]
        if written == 0 or self._fewest is None:
            stops.fill_(float("-inf"))
        else:
            stops.masked_fill_(self._fewest > written, float("-inf"))
        return logits

    def select(self, rows: Int[Tensor, " r"]) -> None:
        if self._fewest is not None:
            self._fewest = self._fewest[rows]


@frozen
class Bounds:
    """How many frames a sentence may have. Outside, words were skipped or it never ends."""

    fewest: int
    most: int

    @classmethod
    def of(
        cls, symbols: int, frame_rate: float, config: SynthesisConfig, max_seconds: float | None
    ) -> Bounds:
        """From the number of phoneme symbols; at most `max_seconds` (default: the config's)."""
        shortest, longest = (symbols * each for each in config.seconds_per_symbol)
        # A second on top: short sentences have the same silence around them as long ones.
        most = min(longest + 1.0, max_seconds or config.max_seconds)
        most_frames = max(1, int(most * frame_rate))
        return cls(min(round(shortest * frame_rate), most_frames), most_frames)

    def after(self, frames: int) -> Bounds:
        """For a sentence with this many additional frames, which already exist."""
        return Bounds(self.fewest // 2 + frames // 2, self.most + frames)

    def within(self, max_seconds: float | None, frame_rate: float) -> Bounds:
        """With a shorter limit, if one is given."""
        if max_seconds is None:
            return self
        most = max(1, min(self.most, int(max_seconds * frame_rate)))
        return Bounds(min(self.fewest, most), most)

    def fault(self, frames: int, ended: bool, frame_rate: float) -> str:
        """Why this number of frames indicates a failure; empty if it does not."""
        seconds = frames / frame_rate
        if not ended:
            return f"was cut off after {seconds:.2f} s, since the model did not end it"
        if frames < self.fewest:
            return f"lasts only {seconds:.2f} s, so words are probably missing"
        return ""
