"""The AR stage where a step writes several codes: patterns of levels, and groups of frames."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from attrs import define, evolve, field
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.decoding.ar.choose_state import ReadRows
from vall_e.decoding.ar.state import Rows
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.job import Decoded
from vall_e.decoding.sampler_chain import UNUSABLE, unusable
from vall_e.interfaces.sampling import Draw, Stateful
from vall_e.interfaces.task import Sample, Task
from vall_e.model.patterns import ABSENT, Pattern, places_of
from vall_e.model.valle import Valle


@define(eq=False)
class Course:
    """The progress of one request."""

    pattern: Pattern
    most: int
    """Most frames after the given ones."""
    begun: Int[Tensor, "n p"]
    """The given beginning, which is written without being drawn."""
    codes: list[list[int]] = field(init=False)
    """By level, with the given frames; level 0 may be ahead of the others."""
    given: int = field(init=False)
    """Number of given frames."""
    place: int = 0
    """Index of the next step."""
    frames: int | None = None
    """Number of frames; None: not yet known."""
    ended: bool = False
    """By the stop token."""

    def __attrs_post_init__(self) -> None:
        self.codes = [[] for _ in range(max(self.pattern.levels) + 1)]
        self.given = self.begun.shape[1]
        self.most += self.given

    def due_code(self, slot: int) -> int | None:
        """The given code in that slot of the next step; None: it must be drawn."""
        level = self.pattern.levels[slot]
        frame = len(self.codes[level])
        return int(self.begun[level, frame]) if frame < self.given else None

    def due(self, slot: int) -> bool:
        """Whether the next step writes something there."""
        return _cells(self.pattern, self.place, self.frames)[slot] != ABSENT

    def write(self, slot: int, token: int, stop: int) -> int:
        """Record a drawn token; returns the code that the step holds there."""
        level = self.pattern.levels[slot]
        if level == 0 and token == stop:
            self.frames, self.ended = len(self.codes[0]), True
            return ABSENT
        self.codes[level].append(token)
        if level == 0 and len(self.codes[0]) == self.most:
            self.frames = self.most
        return token

    def goes_on(self) -> bool:
        """Advance to the next step, if there is one."""
        groups = max(self.pattern.levels) == 0
        self.place = len(self.codes[0]) if groups else self.place + self.pattern.stride
        return self.frames is None or self.place < self.pattern.end(self.frames)

    def position(self) -> int:
        """Position of the last step, where positions restart in each segment."""
        return int(self.pattern.positions(torch.tensor([self.place]), self.frames))


@lru_cache(maxsize=256)
def _cells(pattern: Pattern, place: int, frames: int | None) -> tuple[int, ...]:
    return tuple(pattern.cells(torch.tensor([place]), frames)[:, 0].tolist())


@define(eq=False)
class Cohort:
    """Requests that have written the same number of codes of a level, at the same steps."""

    requests: list[int]
    draw: Draw
    history: Int[Tensor, "b t"]

    def keep(self, requests: list[int]) -> Cohort:
        """The cohort itself, without the others."""
        if len(requests) < len(self.requests):
            rows = [self.requests.index(request) for request in requests]
            kept = torch.tensor(rows, device=self.history.device)
            self.requests, self.history = requests, self.history[kept]
            if isinstance(self.draw, Stateful):
                self.draw.select(kept)
        return self


class StepWriting:
    """As `Writing`, for models whose steps have several slots.

    Each level of a request has a history and samplers of its own. With `confidence`, a group ends
    before a frame whose most likely code has a lower probability; the next step begins there. The
    codes that a sample's response already has, in all levels of the steps, are written step by step
    without being drawn.
    """

    def __init__(
        self,
        model: Valle,
        task: Task,
        samples: Sequence[Sample],
        generators: Sequence[torch.Generator],
        max_frames: Sequence[int],
        guidance: Guidance = UNGUIDED,
        *,
        make_draw: Callable[[int], Draw],
        drafts: int = 1,
        confidence: float = 0.0,
        read: ReadRows = Rows,
    ) -> None:
        """`make_draw` returns new samplers for a level at each call."""
        self.model = model
        self.pattern = model.pattern
        self.generators = list(generators)
        self.make_draw = make_draw
        self.confidence = confidence
        each = [sample.response for sample in samples for _ in range(drafts)]
        self.courses = [
            Course(self.pattern, most, begun) for most, begun in zip(max_frames, each, strict=True)
        ]
        self.active = list(range(len(self.courses)))
        self.cohorts: dict[int, list[Cohort]] = {}
        most = max(course.most for course in self.courses)
        steps = most if confidence else len(places_of(self.pattern, most))
        empty = [evolve(sample, response=sample.response[:, :0]) for sample in samples]
        self.rows = read(model, task, empty, most_frames=steps, guidance=guidance, copies=drafts)

    @property
    def unfinished(self) -> bool:
        return bool(self.active)

    @torch.inference_mode()
    def step(self) -> None:
        """Write one step of each unfinished request."""
        step = torch.full((len(self.active), len(self.pattern.levels)), ABSENT)
        unsure: set[int] = set()
        for slot in range(len(self.pattern.levels)):
            due = [
                row
                for row, request in enumerate(self.active)
                if row not in unsure and self.courses[request].due(slot)
            ]
            if due:
                self._write(slot, due, step, unsure)
        self._read(step)

    def _write(self, slot: int, due: list[int], step: Int[Tensor, "b m"], unsure: set[int]) -> None:
        """Draw this slot for the rows that have a code due there, unless it is given."""
        due = [row for row in due if not self._give(slot, row, step)]
        if not due:
            return
        logits = self.rows.slot_logits(slot)
        level = self.pattern.levels[slot]
        if slot and level == 0 and self.confidence:
            sure = (logits.softmax(-1).amax(-1) >= self.confidence).tolist()
            unsure.update(row for row in due if not sure[row])
            due = [row for row in due if sure[row]]
        rows = {self.active[row]: row for row in due}
        for cohort in self._cohorts(level, list(rows)):
            mine = [rows[request] for request in cohort.requests]
            tokens = self._draw(cohort, logits[torch.tensor(mine, device=logits.device)])
            for request, token in zip(cohort.requests, tokens, strict=True):
                held = self.courses[request].write(slot, token, self.model.stop)
                step[rows[request], slot] = held

    def _give(self, slot: int, row: int, step: Int[Tensor, "b m"]) -> bool:
        """Write the given code of that slot; false if there is none."""
        course = self.courses[self.active[row]]
        code = course.due_code(slot)
        if code is not None:
            step[row, slot] = course.write(slot, code, self.model.stop)
        return code is not None

    def _draw(self, cohort: Cohort, logits: Float[Tensor, "b v"]) -> list[int]:
        generators = [self.generators[request] for request in cohort.requests]
        tokens = cohort.draw.draw(cohort.history, logits, generators)
        cohort.history = torch.cat([cohort.history, tokens[:, None]], dim=1)
        drawn: list[int] = tokens.tolist()
        if UNUSABLE in drawn:
            raise unusable()
        return drawn

    def _cohorts(self, level: int, due: list[int]) -> list[Cohort]:
        """The cohorts whose requests all write a code of this level now."""
        writing, waiting = [], []
        for cohort in self.cohorts.get(level, []):
            now = [request for request in cohort.requests if request in due]
            later = [r for r in cohort.requests if r not in due and self._writes_on(r, level)]
            if later:
                waiting.append((copy.deepcopy(cohort) if now else cohort).keep(later))
            if now:
                writing.append(cohort.keep(now))
        known = {request for cohort in writing for request in cohort.requests}
        if new := [request for request in due if request not in known]:
            none = torch.empty(len(new), 0, dtype=torch.long, device=self.rows.device)
            writing.append(Cohort(new, self.make_draw(level), none))
        self.cohorts[level] = writing + waiting
        return writing

    def _writes_on(self, request: int, level: int) -> bool:
        return request in self.active and (level > 0 or self.courses[request].frames is None)

    def _read(self, step: Int[Tensor, "b m"]) -> None:
        """Feed the written step to the model; drop the rows that are done."""
        positions = torch.tensor([self.courses[request].position() for request in self.active])
        stay = [row for row, r in enumerate(self.active) if self.courses[r].goes_on()]
        if len(stay) < len(self.active):
            self.active = [self.active[row] for row in stay]
            if stay:
                self.rows.select(torch.tensor(stay, device=self.rows.device))
        if stay:
            kept = torch.tensor(stay)
            self.rows.append_step(step[kept].to(self.rows.device), positions[kept])

    @property
    def settled_frames(self) -> list[int]:
        """Complete frames of each request: with all levels that this stage writes."""
        return [max(min(map(len, c.codes)) - c.given, 0) for c in self.courses]

    def utterances(self) -> list[Decoded]:
        """The complete frames of each request so far."""
        return [
            _decoded(course, frames)
            for course, frames in zip(self.courses, self.settled_frames, strict=True)
        ]


def _decoded(course: Course, frames: int) -> Decoded:
    new = slice(course.given, course.given + frames)
    codes = torch.tensor([level[new] for level in course.codes], dtype=torch.long)
    return Decoded(codes, course.ended)
