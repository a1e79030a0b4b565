"""Orders in which the AR stage writes codes: what each step of it holds.

A step has slots, each for a code of one level. A pattern says which frame each slot of a step
writes; every code of an utterance has its place in exactly one step, so codes become steps and
steps codes again. The patterns of levels are those of MusicGen (Copet et al. 2023,
https://arxiv.org/abs/2306.05284, section 2.2); groups are those of VALL-E 2 (Chen et al. 2024,
https://arxiv.org/abs/2406.05370, section 3.1).

Steps are named by their `places`, ascending integers. While an utterance is written its number of
frames is unknown; it is known once the code of level 0 that comes after the last one is the stop
token. Sizes, beside the usual ones: `m` slots, `s` steps.
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
"""No code stands there."""


@runtime_checkable
class Pattern(Hashable, Protocol):
    """Where the codes of an utterance stand."""

    @property
    def levels(self) -> tuple[int, ...]:
        """The level of each slot. Slots of level 0 come first, and may say the stop token."""
        ...

    @property
    def stride(self) -> int:
        """From one place to the next."""
        ...

    def end(self, frames: int) -> int:
        """The place after the last step."""
        ...

    def cells(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, "m s"]:
        """The frame that each slot writes there, or `ABSENT`; frames None: not yet known."""
        ...

    def positions(self, places: Int[Tensor, " s"], frames: int | None) -> Int[Tensor, " s"]:
        """What a positional encoding sees, where positions restart in each segment."""
        ...


@frozen
class Groups:
    """Several frames of level 0 a step. Of one: frame by frame.

    A place is the first frame of its step, so a step may also begin where one before it was cut.
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
    """All levels of a frame, each `by` steps after the one before it; 0: all at once, parallel."""

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
    """One code a step: all levels of a frame, then those of the next. Flattened, time-major."""

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
    """Level 0 of all frames, then frame by frame all other levels."""

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
        """Those of the frames, twice: a frame finds its level 0 by its position."""
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
    """The codes that stand in these cells, `ABSENT` where there is none."""
    levels = torch.tensor(pattern.levels, dtype=torch.long)[:, None].expand_as(cells)
    if codes.shape[1] == 0:
        return torch.full_like(cells, ABSENT)
    found = codes[levels, cells.clamp(min=0)]
    return found.masked_fill(cells == ABSENT, ABSENT)


def from_steps(
    pattern: Pattern, steps: Int[Tensor, "m s"], cells: Int[Tensor, "m s"], frames: int
) -> Int[Tensor, "k f"]:
    """The inverse of `to_steps`; `ABSENT` for codes that no step holds."""
    levels = torch.tensor(pattern.levels, dtype=torch.long)[:, None].expand_as(cells)
    codes = torch.full((max(pattern.levels) + 1, frames), ABSENT, dtype=steps.dtype)
    held = cells != ABSENT
    codes[levels[held], cells[held]] = steps[held]
    return codes


def pattern_of(config: ModelConfig, levels: int) -> Pattern:
    """What the AR stage of this model writes. Raises `ConfigError` where there is one level."""
    if config.pattern == "none":
        return Groups(config.group_size)
    if levels < 2:
        raise ConfigError(
            f"model.pattern: {config.pattern} orders the levels of a codec, and this one has one",
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
