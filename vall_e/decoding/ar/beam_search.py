"""Beam search: the most likely utterance that is found while a few are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from attrs import define, field, frozen
from jaxtyping import Float
from torch import Tensor

from vall_e.decoding.ar.state import Rows
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.job import Decoded
from vall_e.decoding.sampler_chain import Chain
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle


@frozen
class Ending:
    """A finished hypothesis, complete or cut off."""

    ended: bool
    score: float
    codes: list[int]


@define
class _Request:
    """The endings of one request found so far."""

    most: int
    endings: list[Ending] = field(factory=list)

    @property
    def best(self) -> Ending:
        """The best ending with a stop token, if any; otherwise the best that was cut off."""
        return max(self.endings, key=lambda e: (e.ended, e.score))


def search(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    *,
    chain: Chain,
    width: int,
    max_frames: Sequence[int],
    length_power: float = 1.0,
    guidance: Guidance = UNGUIDED,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Decoded]:
    """The best ending of each sample by `log p / tokens ** length_power`.

    The processors of `chain` shape the distribution; nothing is drawn. The search ends when there
    are as many endings as beams, and no beam can be better than the best of them.
    """
    beams = Beams(model, task, samples, chain, width, max_frames, length_power, guidance)
    while beams.active:
        beams.step()
        on_frame()
    return [
        Decoded(torch.tensor([request.best.codes], dtype=torch.long), request.best.ended)
        for request in beams.requests
    ]


def furthest(
    totals: Float[Tensor, "b v"], *, requests: int, count: int
) -> tuple[list[list[float]], list[list[int]], list[list[int]]]:
    """The highest totals of each request, the rows that they continue, and their tokens."""
    size = totals.shape[-1]
    best = totals.reshape(requests, -1).topk(count, dim=-1)
    return best.values.tolist(), (best.indices // size).tolist(), (best.indices % size).tolist()


class Beams:
    """`width` adjacent rows for each unfinished request, the best first."""

    def __init__(
        self,
        model: Valle,
        task: Task,
        samples: Sequence[Sample],
        chain: Chain,
        width: int,
        max_frames: Sequence[int],
        length_power: float,
        guidance: Guidance,
    ) -> None:
        self.rows = Rows(
            model,
            task,
            samples,
            most_frames=max(max_frames),
            guidance=guidance,
            copies=width,
        )
        self.stop = model.stop
        self.chain = chain
        self.width = width
        self.length_power = length_power
        self.requests = [_Request(most) for most in max_frames]
        self.active = list(self.requests)
        count = len(self.requests) * width
        self.history = torch.empty(count, 0, dtype=torch.long, device=self.rows.device)
        # All beams of a request are equal at first, so only one of them counts.
        self.scores = torch.full((count,), float("-inf"), device=self.rows.device)
        self.scores[::width] = 0.0

    @torch.inference_mode()
    def step(self) -> None:
        """Extend the beams by their best continuations."""
        log_p = self.chain.shaped(self.history, self.rows.logits()).log_softmax(-1)
        # Twice as many as beams: if half of them are endings, there are still enough beams.
        totals, parents, tokens = furthest(
            self.scores[:, None] + log_p, requests=len(self.active), count=2 * self.width
        )
        kept: list[tuple[float, int, int]] = []
        active = []
        for place, request in enumerate(self.active):
            first = place * self.width
            found = zip(
                totals[place], (first + p for p in parents[place]), tokens[place], strict=True
            )
            live = self._sort_out(request, list(found))
            if not self._done(request, live[0][0]):
                active.append(request)
                kept += live
            else:
                request.endings += [self._cut_off(*beam) for beam in live]
        self.active = active
        if active:
            self._go_on(kept)

    def _sort_out(
        self, request: _Request, found: list[tuple[float, int, int]]
    ) -> list[tuple[float, int, int]]:
        """Keep the endings among the candidates; returns the beams."""
        for total, row, token in found:
            if token == self.stop and total > float("-inf"):
                codes = self.history[row].tolist()
                request.endings.append(Ending(True, self._score(total, len(codes) + 1), codes))
        return [beam for beam in found if beam[2] != self.stop][: self.width]

    def _done(self, request: _Request, best_total: float) -> bool:
        frames = self.history.shape[1] + 1
        if frames >= request.most or best_total == float("-inf"):
            return True
        enough = len(request.endings) >= self.width
        return enough and request.best.score >= self._score(best_total, frames)

    def _cut_off(self, total: float, row: int, token: int) -> Ending:
        codes = [*self.history[row].tolist(), token]
        return Ending(False, self._score(total, len(codes)), codes)

    def _score(self, total: float, tokens: int) -> float:
        return total / float(tokens**self.length_power)

    def _go_on(self, kept: Sequence[tuple[float, int, int]]) -> None:
        totals, rows, tokens = zip(*kept, strict=True)
        device = self.history.device
        parents = torch.tensor(rows, device=device)
        codes = torch.tensor(tokens, device=device)
        self.rows.select(parents)
        self.chain.select(parents)
        self.history = torch.cat([self.history[parents], codes[:, None]], dim=1)
        self.scores = torch.tensor(totals, device=device)
        self.rows.append(codes)
