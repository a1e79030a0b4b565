"""Orders in which the AR stage generates codes: the content of each step.

A step has slots, each for a code of one level. A pattern defines which frame each slot of a step
contains; every code of an utterance belongs to exactly one step, so codes can be converted to
steps and back. The patterns over levels are those of MusicGen (Copet et al. 2023,
https://arxiv.org/abs/2306.05284, section 2.2); groups are those of VALL-E 2 (Chen et al. 2024,
https://arxiv.org/abs/2406.05370, section 3.1).

Steps are named by their `places`, ascending integers. During generation the number of frames of
an utterance is unknown; it is known once the code of level 0 after the last one is the stop
token. Sizes, besides the usual ones: `m` slots, `s` steps.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, runtime_checkable

import torch
from attrs import frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.config.model import ModelConfig
from vall_e.errors import ConfigError

ABSENT = -1
"""No code in this slot."""


@runtime_checkable
class Pattern(Hashable, Protocol):
    """The arrangement of an utterance's codes."""

    @property
    def levels(self) -> tuple[int, ...]:
        """The level of each slot. Slots of level 0 come first, and can contain the stop token."""
        ...

    @property
    def stride(self) -> int:
        """The distance between two places."""
        ...

    def end(self, frames: int) -> int:
        """The place after the last step."""
        ...

    def cells(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, "m s"]:
        """The frame in each slot at these places, or `ABSENT`; frames None: not yet known."""
        ...

    def positions(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, " s"]:
        """The indices for positional encodings, where positions restart in each segment."""
        ...


@frozen
class Groups:
    """Several frames of level 0 per step. With one: frame by frame.

    A place is the first frame of its step, so a step may also begin where an earlier one was cut.
    """

    size: int = 1

    @property
    def levels(self) -> tuple[int, ...]:
        return (0,) * self.size

    @property
    def stride(self) -> int:
        return self.size

    def end(self, frames: int) -> int:
        return frames

    def cells(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, "m s"]:
        return _within(places + torch.arange(self.size)[:, None], frames)

    def positions(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, " s"]:
        return places


@frozen
class Delay:
    """All levels of a frame, each `by` steps after the one before; 0: all at once, in parallel."""

    count: int
    by: int = 1
    stride: int = 1

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(range(self.count))

    def end(self, frames: int) -> int:
        return frames + (self.count - 1) * self.by if frames else 0

    def cells(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, "m s"]:
        return _within(places - self.by * torch.arange(self.count)[:, None], frames)

    def positions(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, " s"]:
        return places


@frozen
class Interleaved:
    """One code per step: all levels of a frame, then those of the next. Flattened, time-major."""

    count: int
    stride: int = 1

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(range(self.count))

    def end(self, frames: int) -> int:
        return frames * self.count

    def cells(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, "m s"]:
        own = places % self.count == torch.arange(self.count)[:, None]
        return _within(torch.where(own, places // self.count, ABSENT), frames)

    def positions(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, " s"]:
        return places


@frozen
class CoarseFirst:
    """Level 0 of all frames, then all other levels frame by frame."""

    count: int
    stride: int = 1

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(range(self.count))

    def end(self, frames: int) -> int:
        return frames * min(self.count, 2)

    def cells(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, "m s"]:
        later = torch.full_like(places, ABSENT) if frames is None else places - frames
        return _within(torch.stack([places, *[later] * (self.count - 1)]), frames)

    def positions(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, " s"]:
        """Those of the frames, twice: a frame finds its level 0 by the same position."""
        return places if frames is None else torch.where(places < frames, places, places - frames)


def _within(cells: Int[Tensor, "m s"], frames: int | None) -> Int[Tensor, "m s"]:
    outside = (cells < 0) if frames is None else (cells < 0) | (cells >= frames)
    return cells.masked_fill(outside, ABSENT)


def places_of(pattern: Pattern, frames: int) -> Int[Tensor, " s"]:
    """All steps of an utterance."""
    return torch.arange(0, pattern.end(frames), pattern.stride)


def to_steps(
    pattern: Pattern, codes: Int[Tensor, "k f"], cells: Int[Tensor, "m s"]
) -> Int[Tensor, "m s"]:
    """The codes in these cells, `ABSENT` if there is none."""
    levels = torch.tensor(pattern.levels, dtype=torch.long)[:, None].expand_as(cells)
    if codes.shape[1] == 0:
        return torch.full_like(cells, ABSENT)
    found = codes[levels, cells.clamp(min=0)]
    return found.masked_fill(cells == ABSENT, ABSENT)


def from_steps(
    pattern: Pattern, steps: Int[Tensor, "m s"], cells: Int[Tensor, "m s"], frames: int
) -> Int[Tensor, "k f"]:
    """The inverse of `to_steps`; `ABSENT` for codes that no step contains."""
    levels = torch.tensor(pattern.levels, dtype=torch.long)[:, None].expand_as(cells)
    codes = torch.full((max(pattern.levels) + 1, frames), ABSENT, dtype=steps.dtype)
    held = cells != ABSENT
    codes[levels[held], cells[held]] = steps[held]
    return codes


def pattern_of(config: ModelConfig, levels: int) -> Pattern:
    """The pattern of this model's AR stage. Raises `ConfigError` if the codec has one level."""
    if config.pattern == "none":
        return Groups(config.group_size)
    if levels < 2:
        raise ConfigError(
            f"model.pattern: {config.pattern} orders several levels, but this codec has only one",
            hint="set model.pattern: none",
        )
    made: dict[str, Pattern] = {
        "parallel": Delay(levels, by=0),
        "delay": Delay(levels),
        "interleaved": Interleaved(levels),
        "flattened": Interleaved(levels),
        "coarse-first": CoarseFirst(levels),
    }
    return made[config.pattern]
