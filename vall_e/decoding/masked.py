"""Masked decoding of level 0, for a known length: the most certain codes first, in a few passes.

MaskGIT (Chang et al., https://arxiv.org/abs/2202.04200): everything is masked at first; each pass
fills in all masked frames, and masks the least certain ones again, fewer each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import torch
from attrs import define, field, frozen
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.categorical import draw_categorical
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.interfaces.task import Sample, Task
from vall_e.model.masking import COSINE, MaskSchedule
from vall_e.model.sequence import Example, Segment
from vall_e.model.valle import Valle

if TYPE_CHECKING:
    from vall_e.config.synthesis import DemaskConfig

KEPT = -1.0
"""Uncertainty of a frame that is not masked again: lower than any other."""


@frozen
class Demasking:
    """How masked frames become codes, over a time from `start` to 1."""

    steps: int = 25
    """Passes from time 0 to 1."""
    schedule: MaskSchedule = COSINE
    choice: Literal["confidence", "random"] = "confidence"
    """Which frames are masked again: the least certain ones, or random ones."""
    temperature: float = 0.0
    """Temperature at time 0; it falls to 0 at time 1. 0: always the most likely code."""
    revise: bool = False
    """Each pass evaluates kept codes again, and may mask them."""
    start: float = 0.0
    """With a draft: the time at which decoding starts from it."""

    @classmethod
    def of(cls, options: DemaskConfig) -> Demasking:
        return cls(
            options.steps,
            MaskSchedule(options.schedule),
            options.choice,
            options.temperature,
            options.revise,
            options.start,
        )

    def times(self) -> list[float]:
        """One for each pass; fewer if the start is not 0."""
        count = max(1, int(self.steps * (1 - self.start)))
        times: list[float] = torch.linspace(self.start, 1.0, count).tolist()
        return times

    def masked(self, time: float, frames: int) -> int:
        """How many of the frames are masked; at least one, for a pass to have something to do.

        So the last pass, at time 1, writes one frame again, where MaskGIT ends with none, as
        e-c-k-e-r/vall-e does.
        """
        return max(1, int(self.schedule(time) * frames))


@define(eq=False)
class Canvas:
    """Level 0 of one request while it is filled in."""

    codes: Int[Tensor, " f"]
    generator: torch.Generator
    doubts: Float[Tensor, " f"]
    """Uncertainty of each code: the highest are masked next."""
    places: Int[Tensor, " n"] = field(factory=lambda: torch.empty(0, dtype=torch.long))
    """Masked frames."""

    @classmethod
    def of(cls, frames: int, draft: Int[Tensor, " f"] | None, generator: torch.Generator) -> Canvas:
        """Empty, or a draft of which any frame may be masked."""
        if draft is None:
            return cls(torch.zeros(frames, dtype=torch.long), generator, torch.zeros(frames))
        return cls(draft.clone(), generator, torch.rand(frames, generator=generator))

    def shown(self, count: int, mask: int) -> Int[Tensor, " f"]:
        """The codes with `count` of them masked."""
        self.places = self.doubts.topk(count).indices
        shown = self.codes.clone()
        shown[self.places] = mask
        return shown

    def fill(self, logits: Float[Tensor, "f v"], how: Demasking, time: float) -> None:
        """Fill in the masked frames, and update the uncertainties."""
        drawn = self._drawn(logits[self.places], how.temperature * (1 - time))
        self.codes[self.places] = drawn
        if how.revise:
            self.doubts = _doubts(logits, self.codes)
        else:
            self.doubts = torch.full_like(self.doubts, KEPT)
            self.doubts[self.places] = _doubts(logits[self.places], drawn)
        if how.choice == "random":
            open_places = self.doubts > KEPT
            chance = torch.rand(len(self.doubts), generator=self.generator)
            self.doubts = torch.where(open_places, chance, self.doubts)

    def _drawn(self, logits: Float[Tensor, "n v"], temperature: float) -> Int[Tensor, " n"]:
        if temperature <= 0:
            return logits.argmax(-1)
        return draw_categorical(logits / temperature, [self.generator] * len(logits))


@torch.inference_mode()
def demask(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    frames: Sequence[int],
    *,
    how: Demasking,
    generators: Sequence[torch.Generator],
    drafts: Sequence[Int[Tensor, " f"] | None] | None = None,
    guidance: Guidance = UNGUIDED,
    on_step: Callable[[], None] = lambda: None,
) -> list[Int[Tensor, " f"]]:
    """Level 0 of each sample, with the given number of frames; a request may start from a draft.

    A row is the same alone as in any batch, up to rounding.
    """
    model.require("len")
    if how.start and not all(draft is not None for draft in drafts or [None]):
        raise ValueError("a start over 0 needs a draft for each sample")
    canvases = [
        Canvas.of(count, draft, generator)
        for count, draft, generator in zip(
            frames, drafts or [None] * len(frames), generators, strict=True
        )
    ]
    for time in how.times():
        shown = [c.shown(how.masked(time, len(c.codes)), model.stop) for c in canvases]
        for canvas, logits in zip(
            canvases, _logits(model, task, samples, shown, guidance), strict=True
        ):
            canvas.fill(logits, how, time)
        on_step()
    return [canvas.codes for canvas in canvases]


def _logits(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    shown: Sequence[Int[Tensor, " f"]],
    guidance: Guidance,
) -> list[Float[Tensor, "f v"]]:
    """Logits over the codes of each frame, on the CPU, where the canvases are."""
    sides = guidance.sides(samples)
    examples = [
        Example(
            (
                *task.segments(sample, level=0)[:-1],
                Segment("masked", shown[row % len(samples)][None]),
            ),
            0,
        )
        for row, sample in enumerate(sides)
    ]
    most = max(map(len, shown))
    states = model.last_states(examples, most)
    found = []
    for row, codes in enumerate(shown):
        rows = range(row, len(sides), len(samples))
        hidden = torch.cat([states[i, most - len(codes) :] for i in rows])
        guided = guidance.of_one(model.masked_logits(hidden).float())
        found.append(guided[:, : model.sizes.codebook_size].cpu())
    return found


def _doubts(logits: Float[Tensor, "n v"], codes: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """One minus the probability of each code."""
    return 1 - logits.softmax(-1).gather(-1, codes[:, None])[:, 0]
