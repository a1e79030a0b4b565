import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.errors import UnavailableError
from vall_e.interfaces.judge import Case, Evidence
from vall_e.testing import JudgeContract
from vall_e_judges.options import SimilarityConfig
from vall_e_judges.similarity import Similarity
from vall_e_judges.speaker_vectors import mel_bands, packaged_weights, part_starts

pytest.importorskip("_webrtcvad", reason="the extra eval is not installed")
try:
    packaged_weights()
except UnavailableError as exc:
    pytest.skip(exc.message, allow_module_level=True)


class TestSimilarity(JudgeContract):
    figures = ("similarity", "own_speaker_first")

    def make(self, case):
        return Similarity(SimilarityConfig(), case)


def similarity(case=None):
    return Similarity(SimilarityConfig(), case or Case())


def test_a_recording_is_wholly_like_itself(spoken):
    clip, _ = spoken["a0031"]
    found = similarity()(Evidence(clip, original=clip)).scores["similarity"]
    assert found.value == pytest.approx(1.0, abs=1e-5)


def test_one_speaker_is_more_alike_than_a_speaker_and_a_shifted_voice(spoken):
    (one, _), (other, _) = spoken.values()
    shifted = Clip(other.samples, round(other.sample_rate * 1.4))
    judge = similarity(Case((), {"she": [other], "high": [shifted]}))
    scores = judge(Evidence(one, speaker="she", reference=other)).scores
    assert scores["own_speaker_first"].value == 1.0
    assert judge(Evidence(one, speaker="high", reference=shifted)).scores[
        "own_speaker_first"
    ].value == 0.0  # fmt: skip
    assert scores["similarity"].value > 0.7


def test_a_speaker_is_as_near_as_the_nearest_of_their_prompts(spoken):
    (one, _), (other, _) = spoken.values()
    shifted = Clip(other.samples, round(other.sample_rate * 1.4))
    evidence = Evidence(one, speaker="she", reference=shifted)
    for prompts, right in (([shifted, other], 1.0), ([shifted], 0.0)):
        others = [shifted] if right else [other]
        judge = similarity(Case((), {"she": prompts, "another": others}))
        assert judge(evidence).scores["own_speaker_first"].value == right


def test_loudness_does_not_count(spoken):
    clip, _ = spoken["a0031"]
    soft = Clip(clip.samples * 0.01, clip.sample_rate)
    assert similarity()(Evidence(soft, original=clip)).scores["similarity"].value > 0.9


def test_who_says_nothing_is_like_nobody(spoken):
    clip, _ = spoken["a0031"]
    silent = Clip(np.zeros(16_000, np.float32), 16_000)
    assert similarity()(Evidence(silent, reference=clip)).scores["similarity"].value == 0.0


def test_parts_cover_the_recording():
    assert part_starts(16_000) == [0]
    assert part_starts(48_000) == [0, 77, 154]
    assert all(last * 160 < 80_000 for last in part_starts(80_000))


def test_mel_bands_have_equal_areas():
    bands = mel_bands().numpy()
    assert bands.shape == (40, 201)
    assert bands[30:].sum(axis=1) * 40 == pytest.approx(np.ones(10), rel=0.05)


@pytest.mark.slow
def test_vectors_are_those_of_the_package(spoken):
    resemblyzer = pytest.importorskip("resemblyzer")
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)
    judge = similarity()
    for clip, _ in spoken.values():
        samples = clip.mono().resample(16_000).samples
        theirs = encoder.embed_utterance(resemblyzer.preprocess_wav(samples))
        assert theirs == pytest.approx(judge._vector(clip), abs=1e-4)
