"""The contract of audio effects refuses what only looks like one."""

import numpy as np
import pytest

from vall_e.audio.effects.components import AUDIO_EFFECTS
from vall_e.testing import AudioEffectContract, contract_of

LIMITER, LOUDNESS = AUDIO_EFFECTS
NOTHING = np.zeros(0, np.float32)


class TestLimiter(contract_of("audio-effect", LIMITER)):
    pass


class TestLoudness(contract_of("audio-effect", LOUDNESS)):
    pass


class Plain:
    """An effect that changes nothing, and its own stream."""

    def stream(self, sample_rate, provenance):
        return type(self)()

    def push(self, audio):
        return audio

    def flush(self):
        return NOTHING


class FadesEachPiece(Plain):
    def push(self, audio):
        return audio * np.linspace(0, 1, len(audio), dtype=np.float32)


class ForgetsTheRest(Plain):
    def push(self, audio):
        return audio[: len(audio) // 2]


class KnowsOneRate(Plain):
    def stream(self, sample_rate, provenance):
        assert sample_rate == 24000
        return Plain()


class AddsATail(Plain):
    def flush(self):
        return np.zeros(100, np.float32)


class Doubles(Plain):
    def push(self, audio):
        return audio.astype(np.float64) * 2


class Hums(Plain):
    def push(self, audio):
        return (audio * 0.9 + np.float32(0.01)).astype(np.float32)


class Late(Plain):
    def __init__(self):
        self.before = np.zeros(64, np.float32)

    def push(self, audio):
        both = np.concatenate([self.before, audio])
        self.before = both[len(audio) :]
        return both[: len(audio)]


class CountsRequests(Plain):
    def __init__(self):
        self.requests = 0

    def stream(self, sample_rate, provenance):
        self.requests += 1
        return Scaled(1 / self.requests)


class Scaled(Plain):
    def __init__(self, gain):
        self.gain = np.float32(gain)

    def push(self, audio):
        return audio * self.gain


class OneForAll(Plain):
    """Its requests share a state."""

    def __init__(self):
        self.last = np.float32(0)

    def stream(self, sample_rate, provenance):
        self.last = np.float32(0)
        return self

    def push(self, audio):
        if not len(audio):
            return audio
        before = np.concatenate([[self.last], audio[:-1]]).astype(np.float32)
        self.last = audio[-1]
        return (audio + 0.5 * before) * np.float32(0.6)


class InPlace(Plain):
    def push(self, audio):
        audio *= 0.5
        return audio


class FindsMarksEverywhere(Plain):
    def detect(self, audio, sample_rate):
        return "a mark"


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (FadesEachPiece, "test_pieces_join_to_the_whole"),
        (ForgetsTheRest, "test_as_many_samples_come_out_as_went_in"),
        (KnowsOneRate, "test_works_at_any_sample_rate"),
        (AddsATail, "test_nothing_gives_nothing"),
        (Doubles, "test_gives_samples_that_a_file_can_hold"),
        (Hums, "test_silence_stays_silent"),
        (Late, "test_sounds_stay_in_their_places"),
        (CountsRequests, "test_the_same_audio_gives_the_same"),
        (OneForAll, "test_requests_do_not_disturb_each_other"),
        (InPlace, "test_does_not_change_its_input"),
        (FindsMarksEverywhere, "test_finds_its_own_mark_only"),
    ],
)
def test_a_broken_effect_is_refused(judge, broken, refused_by):
    assert refused_by in judge(AudioEffectContract, broken, only=refused_by).failed


def test_an_effect_that_changes_nothing_is_one(judge):
    assert judge(AudioEffectContract, Plain).failed == set()
