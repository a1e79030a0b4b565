"""The NAR stage: every level after the first, in one pass each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from attrs import evolve
from jaxtyping import Int
from torch import Tensor

from vall_e.interfaces import Draw, Sample, Task
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle
from vall_e.synthesis.guidance import UNGUIDED, Guidance


@torch.inference_mode()
def decode_nar(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    *,
    draw: Draw,
    generators: Sequence[torch.Generator],
    levels: int,
    guidance: Guidance = UNGUIDED,
    on_level: Callable[[], None] = lambda: None,
) -> list[Int[Tensor, "m f"]]:
    """Fill what the samples' responses (n, f) lack of `levels` levels, for all rows at once.

    All samples know the same number of levels n >= 1.
    """
    model.require("nar")
    known = len(samples[0].response)
    for level in range(known, levels):
        samples = _fill(model, task, samples, level, draw, generators, guidance)
        on_level()
    return [sample.response for sample in samples]


def _fill(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    level: int,
    draw: Draw,
    generators: Sequence[torch.Generator],
    guidance: Guidance,
) -> list[Sample]:
    sides = guidance.sides(samples)
    examples = [Example(tuple(task.segments(s, level=level)), level) for s in sides]
    states, embedded, _ = model.hidden(examples)
    filled = []
    for row, sample in enumerate(samples):
        frames = sample.response.shape[1]
        hidden = [
            states[i, int(embedded.lengths[i]) - frames : int(embedded.lengths[i])]
            for i in guidance.rows(torch.tensor([row]), len(samples)).tolist()
        ]
        logits = guidance(model.logits(torch.cat(hidden), level).float())  # (f, v)
        history = torch.empty(frames, 0, dtype=torch.long, device=logits.device)
        # Frames are drawn one beside the other, all from this request's own generator.
        codes = draw.draw(history, logits, [generators[row]] * frames)
        response = torch.cat([sample.response, codes[None].to(sample.response)])
        filled.append(evolve(sample, response=response))
    return filled
