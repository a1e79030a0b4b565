"""How often an epoch draws each utterance: pools that are drawn from in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from attrs import evolve, frozen

if TYPE_CHECKING:
    from vall_e.data.batching.corpus import Corpus

GOLDEN = (5**0.5 - 1) / 2
Key = Literal["folder", "group", "language", "speaker"]


@frozen(eq=False)
class Pool:
    """Utterances, none of which is repeated before all have been drawn.

    `number` gives the pool its own random orders. `phase`, below 0.5, keeps many pools with a
    small share from contributing to the same epochs.
    """

    members: np.ndarray
    share: float
    """Share of all samples."""
    number: int = 0
    phase: float = 0.0

    def drawn(self, epoch: int, samples: int, seed: int) -> np.ndarray:
        """The pool's part of an epoch of this size: a piece of its endless permutations."""
        size = len(self.members)
        if not size:
            return self.members
        start, stop = (self._before(e, samples) for e in (epoch, epoch + 1))
        rounds = [
            np.random.default_rng([seed, self.number, cycle]).permutation(size)
            for cycle in range(start // size, -(-stop // size))
        ]
        first = start // size * size
        joined = np.concatenate(rounds) if rounds else np.empty(0, dtype=np.int64)
        return self.members[joined[start - first : stop - first]]

    def _before(self, epoch: int, samples: int) -> int:
        """Samples drawn from the pool before an epoch."""
        return round(self.share * samples * epoch + self.phase)


def pools_of(corpus: Corpus, shares: Sequence[float], balance: Sequence[Key]) -> list[Pool]:
    """The pools of a corpus, whose shares add up to 1.

    `shares` are the weights of its folders; empty: the number of their utterances, unless
    something is to be balanced. Within them, each value of the first key of `balance` is drawn
    equally often, within that each of the second, and so on.
    """
    if shares or not balance:
        sizes = [len(group) for group in corpus.groups]
        tops = [
            Pool(np.arange(group.start, group.stop), share)
            for group, share in zip(corpus.groups, shares or sizes, strict=True)
        ]
    else:
        tops = [Pool(np.arange(len(corpus)), 1.0)]
    for key in balance:
        values = KEYS[key](corpus)
        tops = [part for pool in tops for part in _parts(pool, values)]
    total = sum(pool.share for pool in tops if len(pool.members))
    spread = 1.0 if balance else 0.0
    return [
        evolve(
            pool,
            share=pool.share / total if total else 0.0,
            number=number,
            phase=spread * ((number * GOLDEN) % 1.0 - 0.5) * 0.99,
        )
        for number, pool in enumerate(tops)
    ]


def shares_of(shares: Sequence[float], folders: Sequence[int], sizes: Sequence[int]) -> list[float]:
    """The share of each folder, if several have one in common: by their `sizes`."""
    found: list[float] = []
    for share, count in zip(shares, folders, strict=bool(shares)):
        own = sizes[len(found) : len(found) + count]
        found += [share * (size / sum(own)) if size else 0.0 for size in own]
    return found


def _parts(pool: Pool, values: np.ndarray) -> list[Pool]:
    """One pool for each value of the key, with equal shares."""
    if not len(pool.members):
        return [pool]
    own = values[pool.members]
    order = np.argsort(own, kind="stable")
    cuts = np.flatnonzero(np.diff(own[order])) + 1
    parts = np.split(pool.members[order], cuts)
    return [Pool(part, pool.share / len(parts)) for part in parts]


def _folders(corpus: Corpus) -> np.ndarray:
    sizes = [len(group) for group in corpus.groups]
    return np.repeat(np.arange(len(sizes)), sizes)


def _groups(corpus: Corpus) -> np.ndarray:
    """A folder, and the part before the last slash of speakers called `group/name`."""
    names: dict[tuple[int, str], int] = {}
    folders = _folders(corpus)
    of_speakers = np.empty(len(corpus.speakers), dtype=np.int64)
    for speaker, (first, *_) in enumerate(corpus.speakers):
        name = corpus.utterances[first].entry.speaker.rpartition("/")[0]
        key = (int(folders[first]), name)
        of_speakers[speaker] = names.setdefault(key, len(names))
    groups: np.ndarray = of_speakers[_speakers(corpus)]
    return groups


def _speakers(corpus: Corpus) -> np.ndarray:
    return np.array([utterance.speaker for utterance in corpus.utterances], dtype=np.int64)


def _languages(corpus: Corpus) -> np.ndarray:
    return np.array([utterance.language for utterance in corpus.utterances], dtype=np.int64)


KEYS: Mapping[Key, Callable[[Corpus], np.ndarray]] = {
    "folder": _folders,
    "group": _groups,
    "language": _languages,
    "speaker": _speakers,
}
"""What utterances can be balanced by: a number for each utterance of a corpus."""
