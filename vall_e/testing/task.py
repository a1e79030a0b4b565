"""What the core relies on in a task."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from vall_e.interfaces import Sample, Task

TEXT = torch.tensor([1, 5, 7, 2])
CODES = torch.arange(4 * 6).reshape(4, 6)  # four levels, six frames
PROMPT = CODES[:, :3] + 100


class FixedSource:
    """Other recordings of the speaker: always the same three frames."""

    def prompt(self, rng: random.Random) -> Tensor | None:
        return PROMPT


class TaskContract:
    """`make` returns the task."""

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
        task = self.make()
        sample = self._sample(task)
        known = set(sample.response.flatten().tolist())
        for segment in task.segments(sample, level=1)[:-1]:
            if segment.name == "prompt":
                assert not known & set(segment.ids.flatten().tolist())

    def test_the_same_seed_makes_the_same_sample(self) -> None:
        task = self.make()
        first, second = self._sample(task), self._sample(task)
        assert first.response.equal(second.response)
        assert first.text.equal(second.text)

    def test_without_a_prompt_the_segment_vanishes(self) -> None:
        task = self.make()
        sample = self._sample(task)
        bare = Sample(sample.text, sample.language, None, sample.response)
        assert "prompt" not in [segment.name for segment in task.segments(bare, level=0)]

    def _sample(self, task: Task) -> Sample:
        return task.sample(
            text=TEXT, language=0, codes=CODES, source=FixedSource(), rng=random.Random(0)
        )
