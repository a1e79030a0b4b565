"""Random crops of random recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from attrs import field, frozen, validators
from jaxtyping import Float
from torch import Tensor

from vall_e_codecs.embedded.recordings import Recordings

positive = validators.gt(0)


@frozen(eq=False)
class Crops:
    """A batch."""

    audio: Float[Tensor, "b s"]
    bandwidths: Float[Tensor, " b"]
    """Hz: half of the rate that each was recorded at."""


@frozen
class CropSettings:
    """Size of a batch, and its random variation."""

    batch: int = field(default=12, validator=positive)
    """Crops per step."""
    frames: int = field(default=64, validator=positive)
    """Code frames of each crop."""
    gain_decibels: float = field(default=6.0, validator=validators.ge(0))
    """Each crop's level is changed by up to this much, up or down."""


def draw_crops(
    sources: Sequence[Recordings], settings: CropSettings, hop: int, rng: np.random.Generator
) -> Crops:
    """Crops with one more frame at each end, so that analysis sees no artificial edge.

    A source is drawn in proportion to the root of its size: small ones occur, large ones are used.
    """
    volume = np.sqrt([float(source.ends[-1]) for source in sources])
    chosen = rng.choice(len(sources), settings.batch, p=volume / volume.sum())
    length = (settings.frames + 2) * hop
    found = [_crop(sources[i], length, settings, rng) for i in chosen]
    audio, bandwidths = zip(*found, strict=True)
    return Crops(torch.stack(audio), torch.tensor(bandwidths))


def _crop(
    source: Recordings, length: int, settings: CropSettings, rng: np.random.Generator
) -> tuple[Float[Tensor, " s"], float]:
    # by position in the whole, so that recordings are drawn in proportion to their length
    i = int(np.searchsorted(source.ends, rng.integers(int(source.ends[-1])), side="right"))
    first = int(rng.integers(max(1, source.length(i) - length + 1)))
    found = source.part(i, first, min(first + length, source.length(i)))
    gain = 10 ** (rng.uniform(-1, 1) * settings.gain_decibels / 20)
    gain = min(gain, 1 / max(float(np.abs(found).max()), 1e-3))
    audio = np.pad(found * np.float32(gain), (0, length - len(found)))
    return torch.from_numpy(audio), float(source.rates[i]) / 2


def draw_levels(levels: int, batch: int, rng: np.random.Generator) -> list[int]:
    """How many levels each crop is decoded from: all in half of the cases, otherwise any number."""
    return [
        levels if rng.random() < 0.5 else int(rng.integers(1, levels + 1)) for _ in range(batch)
    ]
