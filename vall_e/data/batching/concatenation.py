"""What is added to the speech of a sample: further utterances, and silence around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from vall_e.data.batching.corpus import Corpus
from vall_e.interfaces.task import Task


@frozen
class Addition:
    """What is added to one utterance."""

    more: tuple[int, ...] = ()
    """Utterances of the same speaker that follow, as one recording."""
    before: float = 0.0
    """Seconds of silence."""
    after: float = 0.0

    def for_task(self, task: Task) -> Addition:
        """The part of it that the task can learn from.

        No utterances are appended if the text must be that of one recording, and no silence is
        added if the length matters.
        """
        wants = task.wants
        alone = wants.twins or wants.edit or wants.spelling != "unused"
        exact = task.target == "length"
        return Addition(
            () if alone else self.more, *((0.0, 0.0) if exact else (self.before, self.after))
        )


NOTHING = Addition()


@frozen(eq=False)
class Lengthening:
    """Draws what is added to the samples of an epoch. By default, nothing."""

    appended: float = 0.0
    """Share of the samples with further utterances appended."""
    most: int = 1
    """How many, drawn for each sample."""
    longest: float = float("inf")
    """Maximum length of the whole, in seconds; what would exceed it is not added."""
    silence: float = 0.0
    """Share of the samples with silence around them."""
    seconds: tuple[float, float] = (0.0, 0.0)
    """Seconds of silence at each end; drawn for each end."""

    def of(
        self, indices: np.ndarray, rng: np.random.Generator, *, corpus: Corpus
    ) -> Sequence[Addition]:
        """An addition for each of these utterances."""
        appended = rng.random(len(indices)) < self.appended
        silent = rng.random(len(indices)) < self.silence
        additions = [NOTHING] * len(indices)
        for place in np.flatnonzero(appended | silent).tolist():
            more = self._more(int(indices[place]), corpus, rng) if appended[place] else ()
            before, after = rng.uniform(*self.seconds, size=2) if silent[place] else (0.0, 0.0)
            additions[place] = Addition(more, float(before), float(after))
        return additions

    def _more(self, index: int, corpus: Corpus, rng: np.random.Generator) -> tuple[int, ...]:
        first = corpus.utterances[index]
        own = corpus.speakers[first.speaker]
        room = self.longest - first.entry.seconds
        found: list[int] = []
        for place in rng.integers(len(own), size=int(rng.integers(1, self.most + 1))).tolist():
            other = corpus.utterances[own[place]]
            fits = other.language == first.language and other.entry.seconds <= room
            if fits and own[place] not in (index, *found):
                found.append(own[place])
                room -= other.entry.seconds
        return tuple(found)
