"""One sentence whose stages take turns, so that its beginning is done before its end is begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import torch
from attrs import define, evolve, field
from jaxtyping import Int
from torch import Tensor

from vall_e.decoding.ar.loop import Writing
from vall_e.decoding.ar.multi_code import StepWriting
from vall_e.decoding.nar.loop import Refiner
from vall_e.interfaces.task import Sample


@define(eq=False)
class Duet:
    """The AR stage writes until a block is due; then the NAR stage settles that block."""

    sample: Sample
    writing: Writing | StepWriting
    """Of this sample alone."""
    write: Callable[[], None]
    """Writes a step of it."""
    refiner: Refiner
    generator: torch.Generator
    """Of the NAR stage."""
    on_frame: Callable[[], None]
    begun: Int[Tensor, "k p"]
    """All levels of the frames that the response begins with; they are not given again."""
    ar_seconds: float = 0.0
    nar_seconds: float = 0.0
    settled: Int[Tensor, "k f"] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.settled = self.begun

    @property
    def written(self) -> Int[Tensor, "k f"]:
        """What is settled after the prefix."""
        return self.settled[:, self.begun.shape[1] :]

    def blocks(self) -> Iterator[Int[Tensor, "k f"]]:
        """Codes as they are settled; joined they are the sentence."""
        while self.writing.unfinished:
            started = perf_counter()
            self.write()
            self.on_frame()
            self.ar_seconds += perf_counter() - started
            yield from self._due(ended=False)
        yield from self._due(ended=True)

    def _due(self, *, ended: bool) -> Iterator[Int[Tensor, "k f"]]:
        [written] = self.writing.settled_frames
        written += self.begun.shape[1]
        while self.refiner.window.block(self.settled.shape[1], written, ended=ended):
            start, started = self.settled.shape[1], perf_counter()
            [known] = self.writing.utterances()
            codes = known.response[: self.refiner.levels]
            response = torch.cat([self.begun[: len(codes)], codes], dim=1)
            sample = evolve(self.sample, response=response)
            [self.settled] = self.refiner.next_block(
                [sample], [self.settled], [self.generator], ended=ended
            )
            self.nar_seconds += perf_counter() - started
            yield self.settled[:, start:]
