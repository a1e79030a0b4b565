"""What the core relies on in a task."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import get_args

import torch
from attrs import evolve
from torch import Tensor

from vall_e.interfaces.task import Recorded, Sample, SegmentName, Source, Task
from vall_e.testing.contracts.pytest_words import pytest

TEXT = torch.tensor([1, 5, 7, 2])
SPELLING = torch.tensor([1, 9, 8, 6, 2])
CODES = torch.arange(4 * 6).reshape(4, 6)  # four levels, six frames
PROMPT = CODES[:, :3] + 100
MIXED = CODES + 500
NOISE = CODES + 1000


NAMES = get_args(SegmentName)


class FixedSource:
    """Always the same other recordings; a mixture holds no code of what is in it."""

    def prompt(self, rng: random.Random) -> Tensor | None:
        return PROMPT

    def neighbour(self, rng: random.Random) -> Recorded | None:
        return Recorded(TEXT, PROMPT)

    def joined(self, texts: Sequence[Tensor]) -> Tensor:
        return torch.cat([TEXT[:1], *(text[1:-1] for text in texts), TEXT[-1:]])

    def spelling(self) -> Tensor:
        return SPELLING

    def twin(self, rng: random.Random) -> Recorded:
        return Recorded(TEXT, PROMPT + 200)

    def stranger(self, frames: int, rng: random.Random) -> Tensor:
        return PROMPT + 300

    def noise(self, frames: int, rng: random.Random) -> Tensor:
        return NOISE.repeat(1, 9)[:, :frames]

    def mixed(self, main: Tensor, other: Tensor, *, decibels: float) -> Tensor:
        return MIXED if main.shape == MIXED.shape else torch.arange(main.numel()).view_as(main)


class ChangingSource(FixedSource):
    """Other recordings of the speaker: frames that the seed decides."""

    def prompt(self, rng: random.Random) -> Tensor | None:
        return PROMPT + rng.randrange(1000)


class TaskContract:
    """`make` returns the task. `keeps`: its response holds parts of its input."""

    keeps = False

    def make(self) -> Task:
        raise NotImplementedError

    def test_has_a_name_and_a_target(self) -> None:
        task = self.make()
        assert task.name
        assert task.target

    def test_the_target_comes_last(self) -> None:
        task = self.make()
        for level in range(4):
            assert task.segments(self._sample(task), level=level)[-1].name == task.target

    def test_the_level_is_told(self) -> None:
        task = self.make()
        for level in range(4):
            told = [s for s in task.segments(self._sample(task), level=level) if s.name == "level"]
            assert [segment.ids.tolist() for segment in told] == [[level]]

    def test_no_code_of_the_target_stands_before_it(self) -> None:
        """Else the model would learn to copy the answer."""
        if self.keeps:
            pytest.skip("this task copies what is not to change")
        task = self.make()
        sample = self._sample(task)
        known = set(sample.response.flatten().tolist())
        for segment in task.segments(sample, level=1)[:-1]:
            if segment.name in {"prompt", "input"}:
                assert not known & set(segment.ids.flatten().tolist())

    def test_segments_have_the_shape_of_their_kind(self) -> None:
        task = self.make()
        for segment in task.segments(self._sample(task), level=2):
            assert segment.name in (*NAMES, *task.markers)
            two = {"prompt", "input", "response"}
            assert segment.ids.ndim == (2 if segment.name in two else 1)
            assert not segment.ids.is_floating_point()

    def test_each_marker_is_one_learnt_vector_that_it_uses(self) -> None:
        task = self.make()
        found = [s for s in task.segments(self._sample(task), level=0) if s.name not in NAMES]
        assert {segment.name for segment in found} == set(task.markers)
        assert all(segment.ids.tolist() == [0] for segment in found)

    def test_a_recording_is_read_by_the_tasks_that_want_one(self) -> None:
        task = self.make()
        names = [s.name for s in task.segments(self._sample(task), level=0)]
        assert ("input" in names) == (task.wants.input != "unused")

    def test_no_text_that_is_predicted_stands_before_it(self) -> None:
        task = self.make()
        names = [s.name for s in task.segments(self._sample(task), level=0)]
        assert names.count("text") <= 1

    def test_the_language_is_the_one_that_is_spoken(self) -> None:
        task = self.make()
        sample = self._sample(task, language=3)
        assert sample.language == 3
        told = [s.ids.tolist() for s in task.segments(sample, level=0) if s.name == "language"]
        assert told in ([], [[3]])

    def test_what_is_known_of_the_response_is_what_it_goes_on_from(self) -> None:
        task = self.make()
        if task.target != "response":
            pytest.skip(f"this task predicts {task.target}")
        sample = self._sample(task)
        for known in (torch.empty(1, 0, dtype=torch.long), CODES[:1, :2], CODES[:3]):
            begun = evolve(sample, response=known)
            assert task.segments(begun, level=len(known) - 1)[-1].ids.equal(known)

    def test_the_same_seed_makes_the_same_sample(self) -> None:
        task = self.make()
        first, second = (self._sample(task, source=ChangingSource()) for _ in range(2))
        assert first.response.equal(second.response)
        assert first.text.equal(second.text)
        assert (first.prompt is None) == (second.prompt is None)
        if first.prompt is not None and second.prompt is not None:
            assert first.prompt.equal(second.prompt)

    def test_takes_chance_from_its_generator_alone(self) -> None:
        before = random.getstate(), torch.get_rng_state()
        self._sample(self.make())
        assert random.getstate() == before[0]
        assert torch.equal(torch.get_rng_state(), before[1])

    def test_leaves_its_inputs_alone(self) -> None:
        task = self.make()
        before = TEXT.clone(), CODES.clone(), PROMPT.clone()
        task.segments(self._sample(task), level=1)
        for given, copy in zip((TEXT, CODES, PROMPT), before, strict=True):
            assert given.equal(copy)

    def test_without_a_prompt_the_segment_vanishes(self) -> None:
        task = self.make()
        sample = self._sample(task)
        bare = evolve(sample, prompt=None, prompt_text=None)
        assert "prompt" not in [segment.name for segment in task.segments(bare, level=0)]

    def _sample(self, task: Task, *, language: int = 0, source: Source | None = None) -> Sample:
        return task.sample(
            text=TEXT,
            language=language,
            codes=CODES,
            source=source or FixedSource(),
            rng=random.Random(0),
        )
