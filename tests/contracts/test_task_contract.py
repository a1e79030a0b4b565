"""The contract of tasks refuses what only looks like one."""

import random

import pytest
import torch
from attrs import evolve

from vall_e.interfaces.task import Segment
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing import TaskContract


class Task(Tts):
    def __init__(self):
        super().__init__(TtsConfig())


class ForgetsTheLevel(Task):
    def segments(self, sample, *, level):
        return super().segments(sample, level=0)


class PutsTheTargetFirst(Task):
    def segments(self, sample, *, level):
        return super().segments(sample, level=level)[::-1]


class PromptsWithTheAnswer(Task):
    def sample(self, *, codes, **rest):
        return evolve(super().sample(codes=codes, **rest), prompt=codes[:, :2])


class SpeaksAnotherLanguage(Task):
    def sample(self, *, language, **rest):
        return super().sample(language=0, **rest)


class StartsAnew(Task):
    """Shows the whole response where only its beginning is known."""

    def segments(self, sample, *, level):
        *rest, target = super().segments(sample, level=level)
        return [*rest, evolve(target, ids=target.ids[:, :0])]


class DrawsFromTheGlobalGenerator(Task):
    def sample(self, *, rng, **rest):
        random.random()
        return super().sample(rng=rng, **rest)


class IgnoresItsGenerator(Task):
    def sample(self, *, rng, **rest):
        return super().sample(rng=random.Random(), **rest)


class HasAMarkerThatItForgets(Task):
    markers = ("whisper",)


class ReadsWhatItDoesNotWant(Task):
    def segments(self, sample, *, level):
        *rest, target = super().segments(sample, level=level)
        return [*rest, Segment("input", sample.response), target]


class TellsTheTextTwice(Task):
    def segments(self, sample, *, level):
        return [Segment("text", sample.text), *super().segments(sample, level=level)]


class HasNoName(Task):
    name = ""


class KeepsAnEmptyPrompt(Task):
    def segments(self, sample, *, level):
        empty = torch.empty(4, 0, dtype=torch.long)
        prompt = empty if sample.prompt is None else sample.prompt
        return super().segments(evolve(sample, prompt=prompt), level=level)


class FlattensItsPrompt(Task):
    def segments(self, sample, *, level):
        return [
            evolve(s, ids=s.ids[0]) if s.name == "prompt" else s
            for s in super().segments(sample, level=level)
        ]


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (ForgetsTheLevel, "test_the_level_is_in_the_sequence"),
        (PutsTheTargetFirst, "test_the_target_comes_last"),
        (PromptsWithTheAnswer, "test_no_code_of_the_target_comes_before_it"),
        (SpeaksAnotherLanguage, "test_the_language_is_that_of_the_utterance"),
        (StartsAnew, "test_a_partial_response_is_continued"),
        (DrawsFromTheGlobalGenerator, "test_all_randomness_comes_from_its_generator"),
        (IgnoresItsGenerator, "test_the_same_seed_makes_the_same_sample"),
        (KeepsAnEmptyPrompt, "test_without_a_prompt_there_is_no_prompt_segment"),
        (HasAMarkerThatItForgets, "test_each_marker_is_used_as_one_learned_vector"),
        (ReadsWhatItDoesNotWant, "test_a_recording_is_used_if_the_task_wants_one"),
        (TellsTheTextTwice, "test_the_predicted_text_is_not_in_the_input"),
        (HasNoName, "test_has_a_name_and_a_target"),
        (FlattensItsPrompt, "test_segments_have_the_shape_of_their_kind"),
    ],
)
def test_a_broken_task_is_refused(judge, broken, refused_by):
    assert refused_by in judge(TaskContract, broken, only=refused_by).failed


def test_a_sound_task_passes(judge):
    verdict = judge(TaskContract, Task)
    assert not verdict.failed
    assert not verdict.skipped
