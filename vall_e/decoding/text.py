"""Text from codes: greedy, phoneme by phoneme."""

from __future__ import annotations

import torch
from attrs import frozen

from vall_e.interfaces.task import Sample, Task
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle
from vall_e.text.vocabulary import EOS


@frozen
class WrittenText:
    """The output for one request."""

    ids: tuple[int, ...]
    ended: bool
    """The model ended the text; otherwise it was cut off at the longest allowed."""


@torch.inference_mode()
def decode_text(model: Valle, task: Task, sample: Sample, *, most: int) -> WrittenText:
    """At most `most` ids."""
    model.require("ar")
    embedded = model.embedding([Example(tuple(task.segments(sample, level=0)), 0)])
    cache = model.backbone.new_cache(1, embedded.vectors.shape[1] + most)
    vectors, positions, lengths = embedded.vectors, embedded.positions, embedded.lengths
    # The next position: from 0 where positions restart, since the text is empty so far.
    at = 0 if model.embedding.restart else int(lengths)
    ids: list[int] = []
    while len(ids) < most:
        hidden, _ = model.backbone(vectors, lengths=lengths, positions=positions, cache=cache)
        token = int(model.text_logits(hidden[0, -1]).argmax())
        if token == EOS:
            return WrittenText(tuple(ids), ended=True)
        stride = model.embedding.text_stride if model.embedding.restart else 1
        vectors = model.embedding.text(torch.tensor([[token]], device=model.device))
        positions = torch.tensor([[at + len(ids) * stride]], device=model.device)
        lengths = torch.ones_like(lengths)
        ids.append(token)
    return WrittenText(tuple(ids), ended=False)
