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
from vall_e.testing.contracts.requirements import require_equal

TEXT = torch.tensor([1, 5, 7, 2])
SPELLING = torch.tensor([1, 9, 8, 6, 2])
CODES = torch.arange(4 * 6).reshape(4, 6)  # four levels, six frames
PROMPT = CODES[:, :3] + 100
MIXED = CODES + 500
NOISE = CODES + 1000


NAMES = get_args(SegmentName)


class FixedSource:
    """Always the same other recordings; a mixture contains no code of its parts."""

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
    """Other recordings of the speaker: frames that depend on the seed."""

    def prompt(self, rng: random.Random) -> Tensor | None:
        return PROMPT + rng.randrange(1000)


class TaskContract:
    """`make` returns the task. `keeps`: its response contains parts of its input."""

    keeps = False

    def make(self) -> Task:
        raise NotImplementedError

    def test_has_a_name_and_a_target(self) -> None:
        task = self.make()
        assert task.name, "`name` is empty"
        assert task.target, "`target` is empty"

    def test_the_target_comes_last(self) -> None:
        task = self.make()
        for level in range(4):
            last = task.segments(self._sample(task), level=level)[-1].name
            assert last == task.target, f"the last segment is {last}, the target {task.target}"

    def test_the_level_is_in_the_sequence(self) -> None:
        task = self.make()
        for level in range(4):
            told = [s for s in task.segments(self._sample(task), level=level) if s.name == "level"]
            ids = [segment.ids.tolist() for segment in told]
            assert ids == [[level]], (
                f"segments `level` hold {ids} for level {level}, not {[[level]]}"
            )

    def test_no_code_of_the_target_comes_before_it(self) -> None:
        """Otherwise the model would learn to copy the answer."""
        if self.keeps:
            pytest.skip("this task copies the parts that do not change")
        task = self.make()
        sample = self._sample(task)
        known = set(sample.response.flatten().tolist())
        for segment in task.segments(sample, level=1)[:-1]:
            if segment.name in {"prompt", "input"}:
                assert not known & set(segment.ids.flatten().tolist()), (
                    f"segment {segment.name} contains codes of the response, so the model could "
                    "copy it"
                )

    def test_segments_have_the_shape_of_their_kind(self) -> None:
        task = self.make()
        for segment in task.segments(self._sample(task), level=2):
            assert segment.name in (*NAMES, *task.markers), (
                f"segment {segment.name!r} is neither known nor among the task's markers"
            )
            two = {"prompt", "input", "response"}
            axes = 2 if segment.name in two else 1
            assert segment.ids.ndim == axes, (
                f"ids of segment {segment.name} have {segment.ids.ndim} axes, not {axes}"
            )
            assert not segment.ids.is_floating_point(), f"ids of {segment.name} are not integers"

    def test_each_marker_is_used_as_one_learned_vector(self) -> None:
        task = self.make()
        found = [s for s in task.segments(self._sample(task), level=0) if s.name not in NAMES]
        names = {segment.name for segment in found}
        assert names == set(task.markers), f"markers used: {names}, declared: {set(task.markers)}"
        assert all(segment.ids.tolist() == [0] for segment in found), "a marker's ids must be [0]"

    def test_a_recording_is_used_if_the_task_wants_one(self) -> None:
        task = self.make()
        names = [s.name for s in task.segments(self._sample(task), level=0)]
        assert ("input" in names) == (task.wants.input != "unused"), (
            f"wants.input is {task.wants.input!r}, but the segments are {', '.join(names)}"
        )

    def test_the_predicted_text_is_not_in_the_input(self) -> None:
        task = self.make()
        names = [s.name for s in task.segments(self._sample(task), level=0)]
        assert names.count("text") <= 1, "the text that is predicted is also given"

    def test_the_language_is_that_of_the_utterance(self) -> None:
        task = self.make()
        sample = self._sample(task, language=3)
        assert sample.language == 3, f"the sample has language {sample.language}, not 3"
        told = [s.ids.tolist() for s in task.segments(sample, level=0) if s.name == "language"]
        assert told in ([], [[3]]), f"segments `language` hold {told} for language 3"

    def test_a_partial_response_is_continued(self) -> None:
        task = self.make()
        if task.target != "response":
            pytest.skip(f"this task predicts {task.target}")
        sample = self._sample(task)
        for known in (torch.empty(1, 0, dtype=torch.long), CODES[:1, :2], CODES[:3]):
            begun = evolve(sample, response=known)
            last = task.segments(begun, level=len(known) - 1)[-1].ids
            assert last.equal(known), "the last segment is not the known part of the response"

    def test_the_same_seed_makes_the_same_sample(self) -> None:
        task = self.make()
        first, second = (self._sample(task, source=ChangingSource()) for _ in range(2))
        message = "the same seed gives another {}: take all randomness from `rng`"
        assert first.response.equal(second.response), message.format("response")
        assert first.text.equal(second.text), message.format("text")
        assert (first.prompt is None) == (second.prompt is None), message.format("prompt")
        if first.prompt is not None and second.prompt is not None:
            assert first.prompt.equal(second.prompt), message.format("prompt")

    def test_all_randomness_comes_from_its_generator(self) -> None:
        before = random.getstate(), torch.get_rng_state()
        self._sample(self.make())
        assert random.getstate() == before[0], "Python's global generator was used: use `rng`"
        require_equal(
            torch.get_rng_state(), before[1], "torch's global generator was used: use `rng`"
        )

    def test_does_not_change_its_inputs(self) -> None:
        task = self.make()
        before = TEXT.clone(), CODES.clone(), PROMPT.clone()
        task.segments(self._sample(task), level=1)
        for given, copy in zip((TEXT, CODES, PROMPT), before, strict=True):
            assert given.equal(copy), "an input was changed in place: work on a copy"

    def test_without_a_prompt_there_is_no_prompt_segment(self) -> None:
        task = self.make()
        sample = self._sample(task)
        bare = evolve(sample, prompt=None, prompt_text=None)
        names = [segment.name for segment in task.segments(bare, level=0)]
        assert "prompt" not in names, "a sample without a prompt has a segment `prompt`"

    def _sample(self, task: Task, *, language: int = 0, source: Source | None = None) -> Sample:
        return task.sample(
            text=TEXT,
            language=language,
            codes=CODES,
            source=source or FixedSource(),
            rng=random.Random(0),
        )
