"""What every judge must do."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.interfaces.judge import Case, Evidence, Judge, Score
from vall_e.testing.contracts.pytest_words import pytest

RATE = 16_000


class JudgeContract:
    """`make` builds the judge; skip in it if its packages are missing.

    `figures` names what it returns for a clip with all evidence.
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
        """Noise of varying loudness: whatever the judgement, it is audible."""
        original, noise = _noise(0), _noise(2)
        clip = Clip(0.8 * original.samples + 0.2 * noise.samples, RATE)
        return Evidence(clip, text="one two", speaker="ann", reference=original, original=original)

    def test_lists_its_figures(self, judge: Judge) -> None:
        assert isinstance(judge, Judge), "it lacks a property of `vall_e.plugin.Judge`"
        missing = set(self.figures) - judge.figures.keys()
        assert not missing, f"`figures` lacks {missing}"
        assert all(figure.meaning for figure in judge.figures.values()), "a figure has no `meaning`"
        assert all(len(digest) == 64 for digest in judge.weights.values()), (
            "`weights` must hold SHA-256 digests of 64 digits: use `sha256_of`"
        )

    def test_a_verdict_has_a_score_for_each_figure(self, judge: Judge, evidence: Evidence) -> None:
        scores = judge(evidence).scores
        assert scores.keys() == judge.figures.keys(), _names(scores, judge)
        assert all(_valid(score) for score in scores.values()), _faults(scores)

    def test_a_clip_without_evidence_gets_reasons(self, judge: Judge) -> None:
        scores = judge(Evidence(_noise(0))).scores
        assert scores.keys() == judge.figures.keys(), _names(scores, judge)
        assert all(_valid(score) for score in scores.values()), _faults(scores)

    @pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
    def test_silence_is_judged_too(self, judge: Judge, evidence: Evidence, seconds: float) -> None:
        silent = Clip(np.zeros(round(seconds * RATE), np.float32), RATE)
        found = judge(Evidence(silent, text="one two", original=evidence.original)).scores
        assert all(_valid(score) for score in found.values()), _faults(found)

    def test_earlier_clips_have_no_effect(self, judge: Judge, evidence: Evidence) -> None:
        first = judge(evidence)
        judge(Evidence(_noise(3), text="three four"))
        assert judge(evidence) == first, (
            "the verdict of a clip changes after another clip: state is kept, or randomness "
            "unseeded"
        )

    def test_accepts_any_rate_and_two_channels(self, judge: Judge, evidence: Evidence) -> None:
        clip = Clip(np.stack([_noise(0, 24_000).samples] * 2), 24_000)
        scores = judge(Evidence(clip, text="one two")).scores
        assert scores.keys() == judge.figures.keys(), _names(scores, judge)


def _noise(seed: int, rate: int = RATE) -> Clip:
    """A second of noise, louder and softer four times a second, as syllables are."""
    time = np.arange(rate) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    swell = np.sin(2 * np.pi * 2 * time) ** 2
    return Clip((0.1 * swell * noise).astype(np.float32), rate)


def _valid(score: Score) -> bool:
    """A finite number, or a reason."""
    return bool(score.reason) if score.value is None else math.isfinite(score.value)


def _names(scores: Mapping[str, Score], judge: Judge) -> str:
    return f"the verdict has {sorted(scores)}, `figures` lists {sorted(judge.figures)}"


def _faults(scores: Mapping[str, Score]) -> str:
    wrong = [name for name, score in scores.items() if not _valid(score)]
    return f"{', '.join(wrong)} must have a finite value, or none and a reason"
