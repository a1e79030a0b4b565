"""Which samples make up which batch. Everything follows from the seed and a position."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen

JITTER = 0.05  # of the length: batches differ from epoch to epoch, and hardly pad more


@frozen
class Draw:
    """One training sample to be made: an utterance, and how much prompt it gets.

    `number` counts the samples of the epoch, so that each has a random state of its own.
    """

    utterance: int
    prompt_seconds: float
    epoch: int
    number: int

    def rng(self, seed: int) -> random.Random:
        """The sample's own random state: the same in whichever process it is made."""
        return random.Random(f"{seed}/{self.epoch}/{self.number}")


@frozen
class Position:
    """The next batch of the endless sequence: its epoch and its number in there."""

    epoch: int = 0
    batch: int = 0


@frozen(eq=False)
class Order:
    """Batches of similar length without end, epoch after epoch.

    In an epoch as many samples are drawn as there are utterances. A group gets its share of them
    and goes through its own utterances in random order, all of them before any comes again.
    """

    seconds: np.ndarray
    groups: Sequence[range]
    shares: Sequence[float]
    prompt_seconds: tuple[float, float]
    without_prompt: float
    batch_seconds: float
    seed: int
    batch_size: int = 0
    """Samples of a batch at most; 0: as many as fit into its seconds."""

    def batches(self, start: Position) -> Iterator[tuple[Position, list[Draw]]]:
        """Each batch with its own position, from `start` on."""
        epoch, skip = start.epoch, start.batch
        while True:
            planned = self.epoch(epoch)
            for number in range(skip, len(planned)):
                yield Position(epoch, number), planned[number]
            epoch, skip = epoch + 1, 0

    def epoch(self, epoch: int) -> list[list[Draw]]:
        """All batches of an epoch, in order."""
        rng = np.random.default_rng([self.seed, epoch])
        indices = np.concatenate([self._drawn(i, epoch) for i in range(len(self.groups))])
        prompts = rng.uniform(*self.prompt_seconds, size=len(indices))
        prompts[rng.random(len(indices)) < self.without_prompt] = 0
        lengths = self.seconds[indices] + prompts
        jittered = lengths * rng.uniform(1 - JITTER, 1 + JITTER, size=len(indices))
        batches: list[list[Draw]] = []
        longest = np.inf
        for number in np.argsort(jittered, kind="stable").tolist():
            longest = max(longest, lengths[number])
            if not batches or self._is_full(len(batches[-1]), longest):
                batches.append([])
                longest = lengths[number]
            draw = Draw(int(indices[number]), float(prompts[number]), epoch, number)
            batches[-1].append(draw)
        return [batches[i] for i in rng.permutation(len(batches))]

    def _is_full(self, count: int, longest: float) -> bool:
        """Whether a batch of so many samples has no room for one more."""
        return count == self.batch_size > 0 or longest * (count + 1) > self.batch_seconds

    def _drawn(self, group: int, epoch: int) -> np.ndarray:
        """The group's part of the epoch: a piece of its endless sequence of permutations."""
        members = self.groups[group]
        if not members:
            return np.empty(0, dtype=np.int64)
        start, stop = (self._total(group, e) for e in (epoch, epoch + 1))
        size = len(members)
        rounds = [
            members.start + np.random.default_rng([self.seed, group, cycle]).permutation(size)
            for cycle in range(start // size, -(-stop // size))
        ]
        first = start // size * size
        joined = np.concatenate(rounds) if rounds else np.empty(0, dtype=np.int64)
        return joined[start - first : stop - first]

    def _total(self, group: int, epochs: int) -> int:
        """Samples that the group has given before epoch number `epochs`."""
        shares = zip(self.shares, self.groups, strict=True)
        share = self.shares[group] / sum(share for share, members in shares if members)
        return round(share * len(self.seconds) * epochs)
