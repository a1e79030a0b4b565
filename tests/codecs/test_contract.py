"""The contract refuses codecs that are wrong, each by the test that is meant for it."""

import pytest
import torch
from attrs import frozen

from vall_e.testing import CodecContract, StaircaseCodec
from vall_e.testing.staircase import StaircaseStream


class Constant(StaircaseCodec):
    """Gives code 0 for everything, and silence for every code."""

    def encode(self, audio):
        return torch.zeros_like(super().encode(audio))

    def decode(self, codes):
        return torch.zeros_like(super().decode(codes))


class Mute(StaircaseCodec):
    def decode(self, codes):
        return torch.zeros_like(super().decode(codes))


class Deaf(StaircaseCodec):
    def encode(self, audio):
        return torch.zeros_like(super().encode(audio))


class Backwards(StaircaseCodec):
    def decode(self, codes):
        return super().decode(codes.flip(2))

    def stream(self):
        return Gathering(self)


class FirstLevelOnly(StaircaseCodec):
    def decode(self, codes):
        return super().decode(codes[:, :1])


class EachLevelWorse(StaircaseCodec):
    def decode(self, codes):
        return super().decode(codes) + 0.2 * torch.sin(torch.tensor(1.0 + codes.shape[1])) ** 2


class FramesRoundedDown(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio[..., : audio.shape[-1] // self.hop * self.hop])


class HalfOfTheFrames(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio)[..., ::2]


class TooShort(StaircaseCodec):
    def decode(self, codes):
        return super().decode(codes)[..., :-1]


class FirstRowOnly(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio)[:1].expand(len(audio), -1, -1)


class FirstRowDecoded(StaircaseCodec):
    def decode(self, codes):
        return super().decode(codes)[:1].expand(len(codes), -1, -1)


class LoudnessOfTheBatch(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio / audio.abs().max().clamp(min=0.1) / 2)


class Dithered(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio + 0.3 * torch.rand_like(audio))


class Learning(StaircaseCodec):
    seen = 0.0

    def encode(self, audio):
        found = super().encode((audio + self.seen).clamp(-1, 1))
        self.seen += 0.1
        return found


class OutOfRange(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio) + self.codebook_size


class InPlace(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio.mul_(0.5))


class AnyScale(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio.float().nan_to_num().clamp(-1, 1))


class NeverClips(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio / 4)


class OnADeviceOfItsOwn(StaircaseCodec):
    def decode(self, codes):
        return super().decode(codes) + torch.zeros(1)


class LosesTheEnd(StaircaseCodec):
    def stream(self):
        return Forgetful(self)


class Gathering(StaircaseStream):
    """Says nothing before the end."""

    def __init__(self, codec):
        super().__init__(codec)
        self.codes = []

    def push(self, codes):
        self.codes.append(codes)
        return super().push(codes[..., :0])

    def flush(self):
        return self._codec.decode(torch.cat(self.codes, 2)) if self.codes else super().flush()


class Forgetful(Gathering):
    def flush(self):
        return super().flush()[..., : -self._codec.hop]


class CausalInNameOnly(StaircaseCodec):
    def stream(self):
        return Gathering(self)


class OneStreamForAll(StaircaseCodec):
    causal = False

    def stream(self):
        if not hasattr(self, "only"):
            self.only = Gathering(self)
        return self.only


class BrokenFrames(StaircaseCodec):
    """Says another rate than it has."""

    def __init__(self):
        super().__init__()
        self.frame_rate = 47.0


@frozen
class Outcome:
    failed: tuple[str, ...]

    @classmethod
    def of(cls, make):
        contract = type("Contract", (CodecContract,), {"make": lambda self: make()})()
        names = [name for name in dir(contract) if name.startswith("test_") and "gpu" not in name]
        return cls(tuple(name.removeprefix("test_") for name in names if fails(contract, name)))


def fails(contract, name):
    try:
        getattr(contract, name)()
    except (AssertionError, RuntimeError, ValueError, pytest.fail.Exception):
        return True
    return False


WRONG = {
    Constant: "codes_follow_the_sound",
    Mute: "sound_follows_the_codes",
    Deaf: "codes_follow_the_sound",
    Backwards: "what_comes_out_swells_with_what_went_in",
    FirstLevelOnly: "each_level_changes_the_sound",
    EachLevelWorse: "more_levels_come_closer",
    FramesRoundedDown: "a_started_frame_is_a_whole_frame",
    HalfOfTheFrames: "a_started_frame_is_a_whole_frame",
    BrokenFrames: "a_frame_is_a_whole_number_of_samples",
    TooShort: "decodes_whole_frames_to_finite_sound",
    FirstRowOnly: "a_row_is_encoded_the_same_in_any_batch",
    FirstRowDecoded: "a_row_is_decoded_the_same_in_any_batch",
    LoudnessOfTheBatch: "a_row_is_encoded_the_same_in_any_batch",
    Dithered: "encoding_and_decoding_change_no_state",
    Learning: "encoding_and_decoding_change_no_state",
    OutOfRange: "codes_are_in_range",
    InPlace: "inputs_are_left_alone",
    AnyScale: "samples_in_another_scale_are_refused",
    NeverClips: "what_lies_a_little_beyond_full_scale_is_clipped",
    OnADeviceOfItsOwn: "what_comes_out_is_where_the_input_is",
    LosesTheEnd: "stream_joined_up_is_the_whole",
    CausalInNameOnly: "a_causal_codec_speaks_before_the_end",
    OneStreamForAll: "two_streams_do_not_mix",
}


def test_a_right_codec_fails_nothing():
    assert Outcome.of(StaircaseCodec).failed == ()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_codec_is_refused(wrong):
    assert WRONG[wrong] in Outcome.of(wrong).failed


def test_random_weights_need_not_sound_like_anything():
    """`trained = False` leaves out two laws, and no other."""
    contract = type("Contract", (CodecContract,), {"make": lambda self: Mute(), "trained": False})()
    assert not fails_skipped(contract, "test_sound_follows_the_codes")
    assert fails(contract, "test_sound_follows_the_codes")
    for name in ("test_what_comes_out_swells_with_what_went_in", "test_more_levels_come_closer"):
        assert fails_skipped(contract, name)


def fails_skipped(contract, name):
    try:
        getattr(contract, name)()
    except pytest.skip.Exception:
        return True
    except (AssertionError, pytest.fail.Exception):
        return False
    return False
