"""What is to be spoken, and what was: a sentence before and after its codes are written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from hashlib import blake2b
from typing import Literal

import torch
from attrs import field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.decoding.ar.layer_stats import Effort
from vall_e.decoding.ar.stopping import Bounds
from vall_e.interfaces.task import Sample


@frozen(eq=False)
class Job:
    """A sentence that is to be written as codes."""

    sample: Sample
    seed: int
    """Of its request."""
    place: int
    """In its request, from 0."""
    bounds: Bounds
    draft: Int[Tensor, " f"] | None = None
    """A level 0 to start from, where level 0 is filled in."""
    prefix: Int[Tensor, "k p"] | None = None
    """What the response goes on from: all levels of the frames that the sample's response has."""

    def begun(self, levels: int) -> Int[Tensor, "k p"]:
        """The prefix, or no frames."""
        if self.prefix is None:
            return torch.empty(levels, 0, dtype=torch.long)
        return self.prefix[:levels]

    def generator(
        self, attempt: int, stage: Literal["ar", "nar"], candidate: int = 0
    ) -> torch.Generator:
        """Random numbers of this sentence alone, whatever is decoded beside it or before it.

        Each stage and each candidate has its own, so that they may take turns. The generator is on
        the CPU, so that a seed draws the same noise for every device.
        """
        key = f"{self.seed}/{self.place}/{attempt}" + ("/nar" if stage == "nar" else "")
        key += f"/{candidate}" if candidate else ""
        digest = blake2b(key.encode(), digest_size=8).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest) >> 1)


@frozen(eq=False)
class Spoken:
    """The codes of a sentence, and the seconds that are its share of its batch."""

    codes: Int[Tensor, "k f"]
    ended: bool
    attempt: int
    ar_seconds: float
    nar_seconds: float
    effort: Effort = field(factory=Effort)


class Speaking:
    """The codes of a sentence, block by block as soon as they are settled."""

    spoken: Spoken
    """The whole sentence; set once all blocks have been taken."""

    def __init__(self, blocks: Generator[Int[Tensor, "k f"], None, Spoken]) -> None:
        self._blocks = blocks

    @classmethod
    def at_once(cls, speak: Callable[[], Spoken]) -> Speaking:
        """A sentence in one block. It is spoken when that is taken."""

        def whole() -> Generator[Int[Tensor, "k f"], None, Spoken]:
            spoken = speak()
            yield spoken.codes
            return spoken

        return cls(whole())

    def __iter__(self) -> Iterator[Int[Tensor, "k f"]]:
        self.spoken = yield from self._blocks
