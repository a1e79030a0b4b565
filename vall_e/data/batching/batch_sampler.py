"""Which samples make up which batch. Determined by the seed and a position."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from attrs import field, frozen, validators

from vall_e.data.batching.batch_orders import ARRANGEMENTS, Arrangement, EpochSamples
from vall_e.data.batching.concatenation import NOTHING, Addition
from vall_e.data.batching.sampling_pools import Pool


@frozen
class SampleSpec:
    """A training sample to be made: an utterance, its amount of prompt, and what is added to it.

    `number` counts the samples of the epoch, so that each has its own random state.
    """

    utterance: int
    prompt_seconds: float
    epoch: int
    number: int
    addition: Addition = NOTHING

    def rng(self, seed: int) -> random.Random:
        """The sample's own random state: the same in every process."""
        return random.Random(f"{seed}/{self.epoch}/{self.number}")


@frozen
class Position:
    """The next batch of the endless sequence: its epoch, and its number within it."""

    epoch: int = field(default=0, validator=[validators.instance_of(int), validators.ge(0)])
    batch: int = field(default=0, validator=[validators.instance_of(int), validators.ge(0)])


@frozen
class Room:
    """The limits of a batch. One sample always fits."""

    seconds: float
    """Seconds of audio, including prompts and padding; 0: no limit."""
    samples: int = 0
    """Number of samples; 0: no limit."""

    def is_full(self, count: int, longest: float) -> bool:
        """Whether `count` samples leave no room for another, given the longest."""
        return count == self.samples > 0 or longest * (count + 1) > self.seconds > 0


@frozen(eq=False)
class BatchSampler:
    """An endless sequence of batches. An epoch has as many samples as utterances.

    `utterances` are those to draw from, without prompts.
    """

    utterances: EpochSamples
    pools: Sequence[Pool]
    prompt_seconds: tuple[float, float]
    without_prompt: float
    room: Room
    seed: int
    arrangement: Arrangement = field(default=ARRANGEMENTS["duration"])
    lengthen: Callable[[np.ndarray, np.random.Generator], Sequence[Addition]] | None = None
    """What is added to utterances, by their numbers; None: nothing."""

    def batches(self, start: Position) -> Iterator[tuple[Position, list[SampleSpec]]]:
        """Each batch with its position, from `start` on."""
        epoch, skip = start.epoch, start.batch
        while True:
            planned = self.epoch(epoch)
            for number in range(skip, len(planned)):
                yield Position(epoch, number), planned[number]
            epoch, skip = epoch + 1, 0

    def epoch(self, epoch: int) -> list[list[SampleSpec]]:
        """All batches of an epoch, in order."""
        rng = np.random.default_rng([self.seed, epoch])
        count = len(self.utterances)
        indices = np.concatenate([pool.drawn(epoch, count, self.seed) for pool in self.pools])
        prompts = rng.uniform(*self.prompt_seconds, size=len(indices))
        prompts[rng.random(len(indices)) < self.without_prompt] = 0
        additions = self._additions(indices, epoch)
        samples = self._samples(indices, prompts, additions)
        batches: list[list[SampleSpec]] = [
            [
                SampleSpec(int(indices[i]), float(prompts[i]), epoch, i, additions[i])
                for i in numbers
            ]
            for numbers in self._filled(samples, self.arrangement.order(samples, rng))
        ]
        if self.arrangement.shuffles:
            return [batches[i] for i in rng.permutation(len(batches))]
        return batches

    def _additions(self, indices: np.ndarray, epoch: int) -> Sequence[Addition]:
        if self.lengthen is None:
            return [NOTHING] * len(indices)
        return self.lengthen(indices, np.random.default_rng([self.seed, epoch, 0, 1]))

    def _samples(
        self, indices: np.ndarray, prompts: np.ndarray, additions: Sequence[Addition]
    ) -> EpochSamples:
        known = self.utterances
        seconds, text = known.seconds[indices] + prompts, known.text[indices]
        for place, added in enumerate(additions):
            if added is not NOTHING:
                more = list(added.more)
                seconds[place] += known.seconds[more].sum() + added.before + added.after
                text[place] += known.text[more].sum()
        return EpochSamples(seconds, text, known.speakers[indices])

    def _filled(self, samples: EpochSamples, order: np.ndarray) -> Iterator[list[int]]:
        """The numbers of the samples in this order, in batches."""
        batch: list[int] = []
        longest = 0.0
        for number in order.tolist():
            longest = max(longest, samples.seconds[number])
            if batch and self.room.is_full(len(batch), longest):
                yield batch
                batch, longest = [], samples.seconds[number]
            batch.append(number)
        if batch:
            yield batch
