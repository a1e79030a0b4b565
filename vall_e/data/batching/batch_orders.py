"""The order in which the samples of an epoch fill its batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from attrs import frozen

JITTER = 0.05  # relative to the length: batches vary between epochs, with hardly more padding
Name = Literal["duration", "length", "interleaved", "random"]


@frozen(eq=False)
class EpochSamples:
    """The samples of an epoch in the order in which they were drawn, one element each."""

    seconds: np.ndarray
    """Audio, including prompts."""
    text: np.ndarray
    """Sequence length of the text, as seconds of audio with the same length."""
    speakers: np.ndarray

    def __len__(self) -> int:
        return len(self.seconds)


@frozen
class Arrangement:
    """An order of samples, and whether the resulting batches are shuffled afterwards."""

    order: Callable[[EpochSamples, np.random.Generator], np.ndarray]
    shuffles: bool


def _by_duration(samples: EpochSamples, rng: np.random.Generator) -> np.ndarray:
    return _nearly_sorted(samples.seconds, rng)


def _by_length(samples: EpochSamples, rng: np.random.Generator) -> np.ndarray:
    return _nearly_sorted(samples.seconds + samples.text, rng)


def _interleaved(samples: EpochSamples, rng: np.random.Generator) -> np.ndarray:
    """Spread each speaker evenly over the epoch, with a random start."""
    mixed = rng.permutation(len(samples))
    grouped = mixed[np.argsort(samples.speakers[mixed], kind="stable")]
    _, starts, counts = np.unique(samples.speakers[grouped], return_index=True, return_counts=True)
    turns = np.arange(len(samples)) - np.repeat(starts, counts)
    begins = np.repeat(rng.random(len(counts)), counts)
    places = (turns + begins) / np.repeat(counts, counts)
    spread: np.ndarray = grouped[np.argsort(places, kind="stable")]
    return spread


def _at_random(samples: EpochSamples, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(len(samples))


def _nearly_sorted(lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    jittered = lengths * rng.uniform(1 - JITTER, 1 + JITTER, size=len(lengths))
    return np.argsort(jittered, kind="stable")


ARRANGEMENTS: Mapping[Name, Arrangement] = {
    "duration": Arrangement(_by_duration, shuffles=True),
    "length": Arrangement(_by_length, shuffles=True),
    "interleaved": Arrangement(_interleaved, shuffles=False),
    "random": Arrangement(_at_random, shuffles=False),
}
