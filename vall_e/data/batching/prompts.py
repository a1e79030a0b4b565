"""Which of a speaker's other recordings become a sample's prompt."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.data.dataset.similar_file import read_similar, similar_path
from vall_e.errors import DataError

if TYPE_CHECKING:
    from vall_e.data.batching.corpus import Corpus
    from vall_e.interfaces.task import Source

FEW = 9
"""The most recordings that a prompt is joined from."""


class PromptSource(Protocol):
    """Chooses recordings for prompts."""

    def __call__(self, corpus: Corpus, index: int, rng: random.Random) -> Sequence[int]:
        """Other utterances of the speaker; a prompt takes what it needs from each in turn."""
        ...


@frozen
class AnyOther:
    """A few at random, without going through a long list."""

    def __call__(self, corpus: Corpus, index: int, rng: random.Random) -> Sequence[int]:
        own = corpus.speakers[corpus.utterances[index].speaker]
        few = rng.sample(own, min(len(own), FEW))
        return [other for other in few if other != index]


@frozen(eq=False)
class Similar:
    """With probability `share`, the most similar ones first, in random order."""

    share: float
    table: Mapping[int, Sequence[int]] = field(repr=False)
    """The most similar utterances of each one."""
    rest: PromptSource = AnyOther()

    def __call__(self, corpus: Corpus, index: int, rng: random.Random) -> Sequence[int]:
        others = self.rest(corpus, index, rng)
        if rng.random() >= self.share:
            return others
        near = self.table.get(index, ())
        first = rng.sample(near, len(near))
        return [*first, *(other for other in others if other not in near)]


def similar_in(corpus: Corpus, nearest: int) -> dict[int, list[int]]:
    """The most similar utterances of the same speaker, from the file next to each dataset.

    Raises `DataError` for a dataset without that file.
    """
    table: dict[int, list[int]] = {}
    for group in filter(len, corpus.groups):
        folder = corpus.utterances[group.start].dataset.folder
        neighbours = read_similar(folder)
        if not neighbours:
            raise DataError(
                f"data.prompt_similar: there is no {similar_path(folder)}",
                hint=f"make it with `vall-e data similar {folder}`, or set data.prompt_similar=0",
            )
        places = {corpus.utterances[place].entry.id: place for place in group}
        for identity, place in places.items():
            speaker = corpus.utterances[place].speaker
            near = [places[other] for other, _ in neighbours.get(identity, ()) if other in places]
            own = [other for other in near if corpus.utterances[other].speaker == speaker]
            table[place] = own[:nearest]
    return table


@frozen
class PromptNoise:
    """Adds noise from `data.noise` to a share of the prompts, at a given signal-to-noise ratio."""

    share: float = 0.0
    decibels: tuple[float, float] = (5.0, 20.0)

    def __call__(
        self, codes: Int[Tensor, "k f"], source: Source, rng: random.Random
    ) -> Int[Tensor, "k f"]:
        if not self.share or rng.random() >= self.share:
            return codes
        noise = source.noise(codes.shape[1], rng)
        return source.mixed(codes, noise, decibels=rng.uniform(*self.decibels))
