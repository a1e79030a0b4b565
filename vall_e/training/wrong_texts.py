"""Which wrong text each held-out clip is tried with."""

from __future__ import annotations

import random
from collections.abc import Sequence

import attrs

from vall_e.interfaces.task import Sample


def with_wrong_texts(samples: Sequence[Sample], seed: int) -> list[Sample] | None:
    """Each sample with the text of another one; None where all of them say the same.

    The other text is of the same language if there is one, and about as long. Which one it is
    follows from `samples` and `seed`: the same pairs at every call.
    """
    order = list(range(len(samples)))
    random.Random(seed).shuffle(order)  # so that equally long texts do not all get the same one
    texts = [tuple(sample.text.tolist()) for sample in samples]
    if len(set(texts)) < 2:
        return None

    def distance(mine: int, other: int) -> tuple[bool, int, int]:
        foreign = samples[other].language != samples[mine].language
        turn = (order[other] - order[mine]) % len(samples)
        return foreign, abs(len(texts[other]) - len(texts[mine])), turn

    swapped = []
    for mine, sample in enumerate(samples):
        others = (other for other in range(len(samples)) if texts[other] != texts[mine])
        nearest = min(others, key=lambda other: distance(mine, other))
        swapped.append(attrs.evolve(sample, text=samples[nearest].text))
    return swapped
