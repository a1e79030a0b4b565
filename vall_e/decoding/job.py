"""A sentence before and after its codes are written."""

from __future__ import annotations

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
    """One sentence to synthesize."""

    sample: Sample
    seed: int
    """Seed of the request."""
    place: int
    """Position of the sentence in the request, from 0."""
    bounds: Bounds
    draft: Int[Tensor, " f"] | None = None
    """Level 0 to start from, for masked decoding."""
    prefix: Int[Tensor, "k p"] | None = None
    """All levels of the frames that the sample's response begins with."""
    text: str = field(default="", kw_only=True)
    """The sentence as it was written."""
    phonemes: str = field(default="", kw_only=True)
    pause: float = field(default=0.0, kw_only=True)
    """Seconds of silence after the sentence."""
    warning: str = field(default="", kw_only=True)
    """Characters of the text that are not spoken; empty if all are."""

    def begun(self, levels: int) -> Int[Tensor, "k p"]:
        """The prefix, or no frames."""
        if self.prefix is None:
            return torch.empty(levels, 0, dtype=torch.long)
        return self.prefix[:levels]

    def generator(
        self, attempt: int, stage: Literal["ar", "nar"], candidate: int = 0
    ) -> torch.Generator:
        """The random generator of this sentence alone, whatever is decoded beside or before it.

        Each stage and each candidate has its own, so that they can be interleaved. It is on the
        CPU, so that a seed draws the same noise on every device.
        """
        key = f"{self.seed}/{self.place}/{attempt}" + ("/nar" if stage == "nar" else "")
        key += f"/{candidate}" if candidate else ""
        digest = blake2b(key.encode(), digest_size=8).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest) >> 1)


@frozen(eq=False)
class Decoded:
    """The codes of one sentence: of the levels that have been written so far."""

    codes: Int[Tensor, "n f"]
    ended: bool
    """The model wrote the stop token; otherwise the sentence was cut off at its longest."""
    attempt: int = 0
    effort: Effort = field(factory=Effort)
    """Layers run, where not all of them ran for every frame."""
    ar_seconds: float = 0.0
    """Seconds of level 0; in a batch, this sentence's share."""
    nar_seconds: float = 0.0
    """Seconds of the other levels; in a batch, this sentence's share."""

    @property
    def level_0(self) -> Int[Tensor, " f"]:
        return self.codes[0]

    @property
    def frames(self) -> int:
        return self.codes.shape[1]
