"""How many frames a sentence takes, predicted digit by digit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from attrs import frozen

from vall_e.decoding.compatibility import require_length_task
from vall_e.interfaces.task import Sample, Task
from vall_e.model.embedding import LENGTH_END
from vall_e.model.sequence import Example, Segment
from vall_e.model.valle import Valle

if TYPE_CHECKING:
    from vall_e.decoding.job import Job

DIGITS = 10
"""At most, as in e-c-k-e-r/vall-e."""


@torch.inference_mode()
def decode_lengths(model: Valle, task: Task, samples: Sequence[Sample]) -> list[int]:
    """The frames of each sample's response, by a task whose target is the length.

    A number has few digits, so each digit is a pass over the whole sequence of the samples whose
    number has not ended.
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


@frozen
class FrameSpan:
    """How long a sentence is."""

    frames: int
    whole: bool = True
    """Nothing was cut off to keep within the bounds."""


def spans_of(
    model: Valle, task: Task | None, jobs: Sequence[Job], stretch: float
) -> list[FrameSpan]:
    """As long as the draft or the recording that a job works on; otherwise predicted.

    `stretch` is a factor for predicted lengths. No span is longer than its job allows.

    Raises `CheckpointError` where a length must be predicted and the model lacks the task `len`.
    """
    known = [_known(job) for job in jobs]
    unknown = [job for job, frames in zip(jobs, known, strict=True) if frames is None]
    predicted = iter(_predicted(model, task, unknown, stretch))
    wanted = [next(predicted) if frames is None else frames for frames in known]
    return [
        FrameSpan(max(1, min(frames, job.bounds.most)), whole=frames <= job.bounds.most)
        for job, frames in zip(jobs, wanted, strict=True)
    ]


def _known(job: Job) -> int | None:
    if job.draft is not None:
        return len(job.draft)
    return None if job.sample.input is None else job.sample.input.shape[1]


def _predicted(model: Valle, task: Task | None, jobs: Sequence[Job], stretch: float) -> list[int]:
    if not jobs:
        return []
    task = require_length_task(model, task)
    lengths = decode_lengths(model, task, [job.sample for job in jobs])
    return [round(length * stretch) for length in lengths]
