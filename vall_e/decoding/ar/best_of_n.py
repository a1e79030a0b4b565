"""Best of n: several drafts of a sentence, of which the model keeps the one with the best score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from attrs import evolve
from torch import Tensor

from vall_e.decoding.job import Decoded
from vall_e.interfaces.task import Sample, Task
from vall_e.model.pattern_targets import steps_of
from vall_e.model.patterns import ABSENT, places_of
from vall_e.model.sequence import Example, wordless
from vall_e.model.valle import Valle

ScoreBy = Literal["likelihood", "text"]
"""`likelihood`: the draft's log-likelihood. `text`: how much the text raises it, so that a mumbled
draft, which is likely whatever the text is, scores low."""


@torch.inference_mode()
def scores(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    drafts: Sequence[Decoded],
    by: ScoreBy,
) -> list[float]:
    """The mean over each draft's tokens, in nats; its stop token counts where the model wrote it.

    One pass over all drafts, whose codes follow their samples' responses. Samplers and guidance
    shape what is drawn, not what is scored.
    """
    told = _mean_log_probability(model, task, samples, drafts)
    if by == "likelihood":
        return told
    free = _mean_log_probability(model, task, [wordless(s) for s in samples], drafts)
    return [with_text - without for with_text, without in zip(told, free, strict=True)]


def best(scores: Sequence[float], failed: Sequence[bool]) -> int:
    """The index of the best draft: of those that did not fail, if any; otherwise of all."""
    return max(range(len(scores)), key=lambda place: (not failed[place], scores[place]))


def _mean_log_probability(
    model: Valle, task: Task, samples: Sequence[Sample], drafts: Sequence[Decoded]
) -> list[float]:
    pairs = list(zip(samples, drafts, strict=True))
    if model.stepwise:
        return [_of_steps(model, task, *pair) for pair in pairs]
    whole = [
        evolve(s, response=torch.cat([s.response, d.codes[:1].to(s.response)], dim=1))
        for s, d in pairs
    ]
    states, embedded, _ = model.hidden(
        [Example(tuple(task.segments(s, level=0)), 0) for s in whole]
    )
    means = []
    for row, (end, draft) in enumerate(zip(embedded.lengths.tolist(), drafts, strict=True)):
        tokens = _tokens(draft, model.stop).to(states.device)
        # The state before each token predicts it, or one `ahead` before; what comes after the last
        # code is the stop token.
        start = end - model.config.ahead - draft.frames
        logits = model.logits(states[row, start : start + len(tokens)], 0).float()
        chosen = logits.log_softmax(-1).gather(-1, tokens[:, None])
        means.append(float(chosen.mean()))
    return means


def _of_steps(model: Valle, task: Task, sample: Sample, draft: Decoded) -> float:
    """The same where a step writes several codes."""
    begun = sample.response.shape[1]
    parts = [sample.response.to(draft.codes), draft.codes] if begun else [draft.codes]
    joined = torch.cat(parts, dim=1)
    example = Example(tuple(task.segments(evolve(sample, response=joined), level=0)), 0)
    example = model.laid_out(example)
    states, _, _ = model.hidden([example])
    pattern, frames = model.pattern, joined.shape[1]
    places = torch.cat([places_of(pattern, frames), torch.tensor([pattern.end(frames)])])
    later = (pattern.cells(places, frames) >= begun).to(states.device)
    chosen = []
    for slot, codes in enumerate(steps_of(example).targets.to(states.device)):
        stop = codes == model.stop
        wanted = (stop & draft.ended) | (~stop & (codes != ABSENT) & later[slot])
        logits = model.slot_logits(states[0, -len(codes) :][wanted], slot).float()
        chosen.append(logits.log_softmax(-1).gather(-1, codes[wanted, None]))
    return float(torch.cat(chosen).mean())


def _tokens(draft: Decoded, stop: int) -> Tensor:
    end = draft.codes.new_tensor([stop] if draft.ended else [])
    return torch.cat([draft.level_0, end])
