"""What every judge must do."""

from __future__ import annotations

import math

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.interfaces.judge import Case, Evidence, Judge, Score
from vall_e.testing.contracts.pytest_words import pytest

RATE = 16_000


class JudgeContract:
    """`make` builds the judge; skip in it where its packages are missing.

    `figures` names what it gives for a clip of which everything is known.
    """

    figures: tuple[str, ...] = ()

    def make(self, case: Case) -> Judge:
        raise NotImplementedError

    @pytest.fixture
    def judge(self) -> Judge:
        return self.make(
            Case(("one two", "three four"), {"ann": [_noise(0)], "bob": [_noise(1)]}, 0)
        )

    @pytest.fixture
    def evidence(self) -> Evidence:
        """Noise that comes and goes: whatever it is judged to be, it is audible."""
        original, noise = _noise(0), _noise(2)
        clip = Clip(0.8 * original.samples + 0.2 * noise.samples, RATE)
        return Evidence(clip, text="one two", speaker="ann", reference=original, original=original)

    def test_says_what_it_gives(self, judge: Judge) -> None:
        assert isinstance(judge, Judge)
        assert set(self.figures) <= judge.figures.keys()
        assert all(figure.meaning for figure in judge.figures.values())
        assert all(len(digest) == 64 for digest in judge.weights.values())

    def test_a_verdict_has_a_score_for_each_figure(self, judge: Judge, evidence: Evidence) -> None:
        scores = judge(evidence).scores
        assert scores.keys() == judge.figures.keys()
        assert all(_sound(score) for score in scores.values())

    def test_a_clip_of_which_nothing_is_known_has_reasons(self, judge: Judge) -> None:
        scores = judge(Evidence(_noise(0))).scores
        assert scores.keys() == judge.figures.keys()
        assert all(_sound(score) for score in scores.values())

    @pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
    def test_silence_is_judged_too(self, judge: Judge, evidence: Evidence, seconds: float) -> None:
        silent = Clip(np.zeros(round(seconds * RATE), np.float32), RATE)
        found = judge(Evidence(silent, text="one two", original=evidence.original)).scores
        assert all(_sound(score) for score in found.values())

    def test_what_was_judged_before_changes_nothing(self, judge: Judge, evidence: Evidence) -> None:
        first = judge(evidence)
        judge(Evidence(_noise(3), text="three four"))
        assert judge(evidence) == first

    def test_another_rate_and_two_channels_are_no_matter(
        self, judge: Judge, evidence: Evidence
    ) -> None:
        clip = Clip(np.stack([_noise(0, 24_000).samples] * 2), 24_000)
        assert judge(Evidence(clip, text="one two")).scores.keys() == judge.figures.keys()


def _noise(seed: int, rate: int = RATE) -> Clip:
    """A second, louder and softer four times a second, as syllables are."""
    time = np.arange(rate) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    swell = np.sin(2 * np.pi * 2 * time) ** 2
    return Clip((0.1 * swell * noise).astype(np.float32), rate)


def _sound(score: Score) -> bool:
    """A number that is one, or a reason."""
    return bool(score.reason) if score.value is None else math.isfinite(score.value)
