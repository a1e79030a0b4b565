"""The contract refuses codecs that are wrong, each by the test that is meant for it."""

from typing import ClassVar

import pytest
import torch
from attrs import frozen

from vall_e.testing import CodecContract, StaircaseCodec
from vall_e.testing.contracts.run import laws_of
from vall_e.testing.fakes.staircase_codec import StaircaseStream


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


class OneStreamForEvery(StaircaseCodec):
    """All that were ever made share it."""

    causal = False
    kept: ClassVar[list] = []

    def stream(self):
        if not self.kept:
            self.kept.append(Gathering(self))
        return self.kept[0]


class DriftsWithItsNumber(StaircaseCodec):
    made: ClassVar[list] = [0]

    def __init__(self):
        super().__init__()
        self.made[0] += 1
        self.identity += str(self.made[0])


class CountsVectorsWrongly(StaircaseCodec):
    def code_vectors(self):
        return super().code_vectors()[1:]


class CannotBeSilent(StaircaseCodec):
    def encode(self, audio):
        assert not audio.numel() or audio.any()
        return super().encode(audio)


class AllLevelsOrNone(StaircaseCodec):
    def decode(self, codes):
        assert codes.shape[1] == self.levels
        return super().decode(codes)


class KeepsTheGraph(StaircaseCodec):
    def decode(self, codes):
        return super().decode(codes).requires_grad_()


class RoundsIntegers(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio.float())


class DecodesWithoutNumbers(StaircaseCodec):
    """It takes what is not a number for silence."""

    def encode(self, audio):
        return super().encode(audio.nan_to_num(posinf=0.0) if audio.is_floating_point() else audio)


class SpeaksAtTheEnd(StaircaseStream):
    def flush(self):
        return torch.zeros(1, 1, 3)


class SaysMoreThanItWasTold(StaircaseCodec):
    def stream(self):
        return SpeaksAtTheEnd(self)


class StreamsAllLevels(StaircaseStream):
    def push(self, codes):
        missing = self._codec.levels - codes.shape[1]
        return super().push(torch.cat([codes, *[codes[:, :1]] * missing], dim=1))


class StreamsOtherLevels(StaircaseCodec):
    def stream(self):
        return StreamsAllLevels(self)


class SaysItHearsLess(StaircaseCodec):
    """A frame depends on the whole recording, and it says on none."""

    encode_context = 0
    decode_context = 0

    def decode(self, codes):
        sound = super().decode(codes)
        return sound - sound.mean(-1, keepdim=True)


class HearsPiecesAlone(StaircaseCodec):
    """Each piece that it hears begins a frame."""

    def listen(self):
        return PieceByPiece(self)


class PieceByPiece:
    def __init__(self, codec):
        self._codec = codec

    def push(self, audio):
        return self._codec.encode(audio)

    def flush(self):
        return torch.zeros(2, self._codec.levels, 0, dtype=torch.long)


class ForgetsLongSounds(StaircaseCodec):
    def encode(self, audio):
        return super().encode(audio)[..., :20]


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
    Backwards: "the_loudness_curve_is_preserved",
    FirstLevelOnly: "each_level_changes_the_sound",
    EachLevelWorse: "more_levels_reduce_the_error",
    FramesRoundedDown: "an_incomplete_frame_counts_as_a_whole_one",
    HalfOfTheFrames: "an_incomplete_frame_counts_as_a_whole_one",
    BrokenFrames: "a_frame_is_a_whole_number_of_samples",
    TooShort: "decodes_whole_frames_to_finite_sound",
    FirstRowOnly: "a_row_is_encoded_the_same_in_any_batch",
    FirstRowDecoded: "a_row_is_decoded_the_same_in_any_batch",
    LoudnessOfTheBatch: "a_row_is_encoded_the_same_in_any_batch",
    Dithered: "encoding_and_decoding_change_no_state",
    Learning: "encoding_and_decoding_change_no_state",
    OutOfRange: "codes_are_in_range",
    InPlace: "inputs_are_not_changed",
    AnyScale: "samples_in_another_scale_are_refused",
    NeverClips: "samples_slightly_beyond_full_scale_are_clipped",
    OnADeviceOfItsOwn: "outputs_are_on_the_device_of_the_input",
    LosesTheEnd: "streamed_decoding_equals_the_whole",
    CausalInNameOnly: "a_causal_codec_gives_audio_before_the_end",
    OneStreamForAll: "two_streams_do_not_mix",
    OneStreamForEvery: "instances_share_no_state",
    DriftsWithItsNumber: "states_its_identity_and_sizes",
    CountsVectorsWrongly: "vectors_of_its_codes_fit_its_sizes",
    CannotBeSilent: "silence_can_be_encoded_and_decoded",
    AllLevelsOrNone: "each_number_of_levels_decodes",
    KeepsTheGraph: "gives_tensors_without_gradient",
    RoundsIntegers: "integer_samples_are_refused",
    DecodesWithoutNumbers: "samples_that_are_not_finite_are_refused",
    SaysMoreThanItWasTold: "an_unused_stream_ends_empty",
    StreamsOtherLevels: "a_stream_of_fewer_levels_equals_the_whole",
    SaysItHearsLess: "a_frame_with_its_context_equals_the_whole",
    HearsPiecesAlone: "streamed_encoding_equals_the_whole",
    ForgetsLongSounds: "codes_are_joined_with_a_pause_cut_and_encoded_again",
}


def test_a_right_codec_fails_nothing():
    assert Outcome.of(StaircaseCodec).failed == ()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_codec_is_refused(wrong):
    contract = type("Contract", (CodecContract,), {"make": lambda self: wrong()})()
    assert fails(contract, f"test_{WRONG[wrong]}")


def test_every_law_refuses_one():
    """But that for a GPU, which needs one."""
    laws = {name.removeprefix("test_") for name in laws_of(CodecContract) if "gpu" not in name}
    assert set(WRONG.values()) == laws


def test_random_weights_need_not_sound_like_anything():
    """`trained = False` leaves out two laws, and no other."""
    contract = type("Contract", (CodecContract,), {"make": lambda self: Mute(), "trained": False})()
    assert not fails_skipped(contract, "test_sound_follows_the_codes")
    assert fails(contract, "test_sound_follows_the_codes")
    for name in ("test_the_loudness_curve_is_preserved", "test_more_levels_reduce_the_error"):
        assert fails_skipped(contract, name)


def fails_skipped(contract, name):
    try:
        getattr(contract, name)()
    except pytest.skip.Exception:
        return True
    except (AssertionError, pytest.fail.Exception):
        return False
    return False
