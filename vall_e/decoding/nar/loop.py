"""The NAR stage: every level after the first, in one pass each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from attrs import evolve, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.nar.block_window import WHOLE, BlockWindow
from vall_e.decoding.nar.prefix_cache import Passes, level_passes
from vall_e.decoding.sampler_chain import UNUSABLE, unusable
from vall_e.interfaces.sampling import Draw
from vall_e.interfaces.task import Sample, Task
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle

FrameCodes = Int[Tensor, "m f"]


@frozen(eq=False)
class Refiner:
    """Writes the levels after those that are known, block by block.

    Frames ahead of a block are written with it as context, and later written again.
    """

    model: Valle
    task: Task
    draw: Draw
    levels: int
    guidance: Guidance = UNGUIDED
    window: BlockWindow = WHOLE
    on_level: Callable[[], None] = lambda: None

    def __attrs_post_init__(self) -> None:
        if self.levels > self.model.ar_levels:
            self.model.require("nar")

    @torch.inference_mode()
    def next_block(
        self,
        samples: Sequence[Sample],
        settled: Sequence[FrameCodes],
        generators: Sequence[torch.Generator],
        *,
        ended: bool,
    ) -> list[FrameCodes]:
        """The final codes (all levels) of each sample's response, extended by one block.

        A sample whose next block is not complete keeps what it has. All responses have the same
        number of levels n >= 1. `ended`: the responses will not grow any more.
        """
        grown = list(settled)
        due = []
        for i, sample in enumerate(samples):
            block = self.window.block(settled[i].shape[1], sample.response.shape[1], ended=ended)
            if block:
                due.append((i, block))
        if not due:
            return grown
        whole = self._all_levels(
            [evolve(samples[i], response=samples[i].response[:, :seen]) for i, (_, seen) in due],
            [settled[i] for i, _ in due],
            [generators[i] for i, _ in due],
        )
        for (i, (end, _)), codes in zip(due, whole, strict=True):
            grown[i] = codes[:, :end]
        return grown

    def all_blocks(
        self,
        samples: Sequence[Sample],
        generators: Sequence[torch.Generator],
        begun: Sequence[FrameCodes] | None = None,
    ) -> list[FrameCodes]:
        """All levels of whole responses; `begun` holds those of their first frames."""
        settled = list(begun or [s.response.new_empty(self.levels, 0) for s in samples])
        while any(
            done.shape[1] < sample.response.shape[1]
            for done, sample in zip(settled, samples, strict=True)
        ):
            settled = self.next_block(samples, settled, generators, ended=True)
        return settled

    def _all_levels(
        self,
        samples: Sequence[Sample],
        settled: Sequence[FrameCodes],
        generators: Sequence[torch.Generator],
    ) -> list[FrameCodes]:
        passes = level_passes(self.model)
        for level in range(len(samples[0].response), self.levels):
            drawn = self._draw(samples, level, generators, passes)
            samples = [
                _with_level(sample, torch.cat([done[level], codes[done.shape[1] :]]))
                for sample, done, codes in zip(samples, settled, drawn, strict=True)
            ]
            self.on_level()
        return [sample.response for sample in samples]

    def _draw(
        self,
        samples: Sequence[Sample],
        level: int,
        generators: Sequence[torch.Generator],
        passes: Passes,
    ) -> list[Int[Tensor, " f"]]:
        sides = self.guidance.sides(samples)
        examples = [Example(tuple(self.task.segments(s, level=level)), level) for s in sides]
        most = max(sample.response.shape[1] for sample in samples)
        states = passes(examples, most)
        drawn = []
        for row, sample in enumerate(samples):
            frames = sample.response.shape[1]
            rows = range(row, len(sides), len(samples))
            hidden = torch.cat([states[i, most - frames :] for i in rows])
            logits = self.guidance.of_one(self.model.logits(hidden, level).float())  # (f, v)
            history = torch.empty(frames, 0, dtype=torch.long, device=logits.device)
            # All frames are drawn at once, from this request's own generator.
            codes = self.draw.draw(history, logits, [generators[row]] * frames).to(sample.response)
            if bool((codes == UNUSABLE).any()):
                raise unusable()
            drawn.append(codes)
        return drawn


def decode_nar(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    *,
    draw: Draw,
    generators: Sequence[torch.Generator],
    levels: int,
    guidance: Guidance = UNGUIDED,
    window: BlockWindow = WHOLE,
    on_level: Callable[[], None] = lambda: None,
) -> list[FrameCodes]:
    """Fill the missing levels of the samples' responses (n, f), up to `levels`, in one batch.

    All responses have the same number of levels n >= 1. A row is the same alone as in any batch,
    up to rounding.
    """
    refiner = Refiner(model, task, draw, levels, guidance, window, on_level)
    return refiner.all_blocks(samples, generators)


def _with_level(sample: Sample, codes: Int[Tensor, " f"]) -> Sample:
    return evolve(sample, response=torch.cat([sample.response, codes[None]]))
