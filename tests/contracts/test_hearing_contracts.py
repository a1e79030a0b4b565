"""The contracts of judges, transcribers and embedders refuse what only looks like one."""

from typing import ClassVar

import numpy as np
import pytest

from vall_e.errors import TextError
from vall_e.interfaces.judge import Figure, Score, Verdict
from vall_e.interfaces.transcriber import Passage, Transcript
from vall_e.testing import EmbedderContract, JudgeContract, TranscriberContract


def level(clip):
    """The root mean square; 0 of no samples."""
    samples = clip.mono().samples
    return float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0


class Loudness:
    figures: ClassVar[dict] = {"level": Figure("root mean square")}
    packages = ()
    weights: ClassVar[dict] = {}
    remarks = ()

    def __init__(self, case=None):
        """What is known of all clips is of no use to it."""

    def __call__(self, evidence):
        found = level(evidence.clip)
        return Verdict({"level": Score(found) if found else Score(None, reason="it is silent")})


class GivesOtherFigures(Loudness):
    def __call__(self, evidence):
        return Verdict({"loudness": Score(level(evidence.clip))})


class MeansNothing(Loudness):
    figures: ClassVar[dict] = {"level": Figure("")}


class NeedsTheText(Loudness):
    def __call__(self, evidence):
        return super().__call__(evidence) if evidence.text else Verdict({})


class TakesTheLogarithm(Loudness):
    def __call__(self, evidence):
        return Verdict({"level": Score(float(np.log(max(level(evidence.clip), 0) or np.nan)))})


class Compares(Loudness):
    """It hears each clip beside the one before."""

    before = 0.0

    def __call__(self, evidence):
        found, self.before = level(evidence.clip) - self.before, level(evidence.clip)
        return Verdict({"level": Score(found)})


class WantsOneChannel(Loudness):
    def __call__(self, evidence):
        (_samples,) = np.atleast_2d(evidence.clip.samples)
        return super().__call__(evidence)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (MeansNothing, "test_lists_its_figures"),
        (GivesOtherFigures, "test_a_verdict_has_a_score_for_each_figure"),
        (NeedsTheText, "test_a_clip_without_evidence_gets_reasons"),
        (TakesTheLogarithm, "test_silence_is_judged_too"),
        (Compares, "test_earlier_clips_have_no_effect"),
        (WantsOneChannel, "test_accepts_any_rate_and_two_channels"),
    ],
)
def test_a_broken_judge_is_refused(judge, broken, refused_by):
    assert refused_by in judge(JudgeContract, broken, only=refused_by).failed


def test_a_sound_judge_passes(judge):
    assert not judge(JudgeContract, Loudness, figures=("level",)).failed


class Listener:
    """Hears the same sentence wherever there is sound."""

    languages = ("en",)

    def __call__(self, clip, *, language=None):
        if language not in (None, *self.languages):
            raise TextError(f"it knows no {language}", hint="say en")
        if level(clip) < 1e-3:
            return Transcript(())
        return Transcript((Passage(0.0, clip.seconds, self.text(clip)),))

    def text(self, clip):
        return "hello"


class HearsBeyondTheEnd(Listener):
    def __call__(self, clip, *, language=None):
        return Transcript((Passage(0.0, clip.seconds + 1, "hello"),))


class FailsInSilence(Listener):
    def __call__(self, clip, *, language=None):
        assert level(clip) > 0, "nothing is said"
        return super().__call__(clip, language=language)


class GoesOn(Listener):
    heard = 0

    def text(self, clip):
        self.heard += 1
        return "hello " * self.heard


class KnowsOneRate(Listener):
    def text(self, clip):
        assert clip.sample_rate == 16_000
        return "hello"


class SpeaksAnything(Listener):
    def __call__(self, clip, *, language=None):
        return super().__call__(clip)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (HearsBeyondTheEnd, "test_passages_are_in_order_and_inside"),
        (FailsInSilence, "test_silence_can_be_transcribed"),
        (GoesOn, "test_earlier_recordings_have_no_effect"),
        (KnowsOneRate, "test_accepts_any_rate_and_two_channels"),
        (SpeaksAnything, "test_an_unsupported_language_is_refused"),
    ],
)
def test_a_broken_transcriber_is_refused(judge, broken, refused_by):
    assert refused_by in judge(TranscriberContract, broken, only=refused_by).failed


def test_a_sound_transcriber_passes(judge):
    assert not judge(TranscriberContract, Listener).failed


class Spectrum:
    """A vector of how loud some harmonics are."""

    def __call__(self, clip):
        if level(clip) < 1e-4:
            return None
        samples = clip.mono().resample(16_000).samples[:16_000]
        bands = np.abs(np.fft.rfft(samples, 16_000))[:4000].reshape(40, -1).mean(1)
        return (bands / np.linalg.norm(bands)).astype(np.float32)


class NeverNormed(Spectrum):
    def __call__(self, clip):
        found = super().__call__(clip)
        return None if found is None else 3 * found


class Remembers(Spectrum):
    kept = None

    def __call__(self, clip):
        found = super().__call__(clip)
        if found is None or self.kept is None:
            self.kept = found
            return found
        mixed = found + self.kept
        self.kept = found
        return mixed / np.linalg.norm(mixed)


class SomebodyIsAlwaysThere(Spectrum):
    def __call__(self, clip):
        found = super().__call__(clip)
        return np.eye(40, dtype=np.float32)[0] if found is None else found


class TakesSamplesForSeconds(Spectrum):
    def __call__(self, clip):
        if level(clip) < 1e-4:
            return None
        bands = np.abs(np.fft.rfft(clip.mono().samples, 16_000))[:4000].reshape(40, -1).mean(1)
        return (bands / np.linalg.norm(bands)).astype(np.float32)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (NeverNormed, "test_vectors_have_unit_length_and_one_size"),
        (Remembers, "test_earlier_recordings_have_no_effect"),
        (SomebodyIsAlwaysThere, "test_silence_gives_no_vector"),
        (TakesSamplesForSeconds, "test_accepts_any_rate_and_two_channels"),
    ],
)
def test_a_broken_embedder_is_refused(judge, broken, refused_by):
    assert refused_by in judge(EmbedderContract, broken, only=refused_by).failed


def test_a_sound_embedder_passes(judge):
    assert not judge(EmbedderContract, Spectrum).failed
