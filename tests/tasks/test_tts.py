import random

import torch

from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.contracts.task import CODES, PROMPT, TEXT, FixedSource, TaskContract


class TestTts(TaskContract):
    def make(self):
        return Tts(TtsConfig())


class TestTtsOfOneLanguage(TaskContract):
    def make(self):
        return Tts(TtsConfig(language=False))


def test_the_layout_is_that_of_the_paper():
    task = Tts(TtsConfig())
    sample = task.sample(
        text=TEXT, language=3, codes=CODES, source=FixedSource(), rng=random.Random(0)
    )
    segments = task.segments(sample, level=2)
    assert [s.name for s in segments] == ["text", "language", "level", "prompt", "response"]
    assert segments[1].ids.equal(torch.tensor([3]))
    assert segments[3].ids.equal(PROMPT)


def test_models_of_one_language_do_not_get_it():
    task = Tts(TtsConfig(language=False))
    sample = task.sample(
        text=TEXT, language=3, codes=CODES, source=FixedSource(), rng=random.Random(0)
    )
    assert "language" not in [s.name for s in task.segments(sample, level=0)]
