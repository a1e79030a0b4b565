"""How many frames a sentence takes: digit by digit, the likeliest each time."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vall_e.interfaces.task import Sample, Task
from vall_e.model.embedding import LENGTH_END
from vall_e.model.sequence import Example, Segment
from vall_e.model.valle import Valle

DIGITS = 10
"""At most, as over there; more frames than that nobody waits for."""


@torch.inference_mode()
def decode_lengths(model: Valle, task: Task, samples: Sequence[Sample]) -> list[int]:
    """The frames of each sample's response, by a task whose target is the length.

    A number has few digits, so each is a pass over the whole sequence, of the samples whose number
    has not ended.
    """
    model.require("len")
    heads = [task.segments(sample, level=0)[:-1] for sample in samples]
    written: list[list[int]] = [[] for _ in samples]
    active = list(range(len(samples)))
    while active:
        examples = [
            Example((*heads[i], Segment("length", torch.tensor([0, *written[i]]))), 0)
            for i in active
        ]
        digits = model.length_logits(model.last_states(examples, 1)[:, 0]).argmax(-1).tolist()
        for i, digit in zip(list(active), digits, strict=True):
            if digit < LENGTH_END:
                written[i].append(digit)
            if digit >= LENGTH_END or len(written[i]) == DIGITS:
                active.remove(i)
    return [int("".join(map(str, digits)) or "0") for digits in written]
