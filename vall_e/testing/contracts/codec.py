"""What every codec must do."""

from __future__ import annotations

import copy
import itertools
import math

import torch
from torch import Tensor

from vall_e.codec.edit import cut, join, silence
from vall_e.codec.encode import to_codes
from vall_e.errors import AudioError
from vall_e.interfaces.codec import Codec, Listening, Local, Vectored, frame_count, frame_samples
from vall_e.testing.contracts.pytest_words import pytest


class CodecContract:
    """`make` returns a codec whose weights are always the same.

    `tolerance` is what rounding may change in a sample when the same codes are decoded in
    another batch or in pieces. `trained` is False for random weights: what comes out of those
    need not sound like what went in, but all other laws hold.
    """

    tolerance = 1e-4
    trained = True

    def make(self) -> Codec:
        raise NotImplementedError

    def test_names_itself_and_its_sizes(self) -> None:
        codec = self.make()
        assert isinstance(codec, Codec)
        assert codec.identity == self.make().identity
        assert codec.identity
        assert codec.sample_rate > 0
        assert codec.frame_rate > 0
        assert codec.levels > 0
        assert 1 < codec.codebook_size <= 2**15  # codes are kept as int16

    def test_vectors_of_its_codes_fit_its_sizes(self) -> None:
        codec = self.make()
        if not isinstance(codec, Vectored):
            pytest.skip("this codec has no vectors of its codes")
        vectors = codec.code_vectors()
        assert vectors.shape[:2] == (codec.levels, codec.codebook_size)
        assert vectors.is_floating_point()
        assert vectors.isfinite().all()
        assert not vectors.requires_grad

    def test_a_frame_is_a_whole_number_of_samples(self) -> None:
        codec = self.make()
        hop = frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate)
        assert hop.denominator == 1

    def test_a_started_frame_is_a_whole_frame(self) -> None:
        codec = self.make()
        hop = self._samples(codec, 1)
        near = [n * hop + more for n in (1, 2, 7, 30) for more in (-1, 0, 1)]
        for samples in (0, 1, hop // 2, 3 * hop + hop // 3, *near):
            codes = codec.encode(_sound(samples)[None])
            frames = frame_count(
                samples, sample_rate=codec.sample_rate, frame_rate=codec.frame_rate
            )
            assert frames == -(-samples // hop)
            assert codes.shape == (1, codec.levels, frames), f"{samples} samples"

    def test_codes_are_in_range(self) -> None:
        codec = self.make()
        codes = codec.encode(_sound(self._samples(codec, 9))[None])
        assert not codes.is_floating_point()
        assert codes.min() >= 0
        assert codes.max() < codec.codebook_size

    def test_decodes_whole_frames_to_finite_sound(self) -> None:
        codec = self.make()
        codes = torch.zeros(2, codec.levels, 5, dtype=torch.long)
        sound = codec.decode(codes)
        assert sound.shape == (2, 1, self._samples(codec, 5))
        assert sound.dtype == torch.float32
        assert sound.isfinite().all()

    def test_silence_can_be_encoded_and_decoded(self) -> None:
        codec = self.make()
        codes = codec.encode(torch.zeros(1, 1, self._samples(codec, 6)))
        assert codec.decode(codes).isfinite().all()

    def test_a_row_is_encoded_the_same_in_any_batch(self) -> None:
        codec = self.make()
        rows = torch.stack([_sound(self._samples(codec, 7), seed) for seed in range(3)])
        together = codec.encode(rows)
        for i, row in enumerate(rows):
            assert torch.equal(codec.encode(row[None])[0], together[i])

    def test_a_row_is_decoded_the_same_in_any_batch(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 3, 6)
        together = codec.decode(codes)
        for i, row in enumerate(codes):
            self._same(codec.decode(row[None])[0], together[i])

    def test_each_number_of_levels_decodes(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 1, 4)
        for levels in range(1, codec.levels + 1):
            assert codec.decode(codes[:, :levels]).shape == (1, 1, self._samples(codec, 4))

    def test_encoding_and_decoding_change_no_state(self) -> None:
        codec = self.make()
        audio = _sound(self._samples(codec, 6))[None]
        before = codec.encode(audio)
        state = _state(codec)
        sound = codec.decode(before)
        codec.encode(_sound(self._samples(codec, 4), 1)[None])
        codec.decode(self._codes(codec, 2, 3))
        assert torch.equal(codec.encode(audio), before)
        assert torch.equal(codec.decode(before), sound)
        for name, tensor in _state(codec).items():
            assert torch.equal(tensor, state[name]), name

    def test_inputs_are_left_alone(self) -> None:
        codec = self.make()
        audio = _sound(self._samples(codec, 4))[None]
        codes = self._codes(codec, 1, 4)
        copies = audio.clone(), codes.clone()
        codec.encode(audio)
        codec.decode(codes)
        assert torch.equal(audio, copies[0])
        assert torch.equal(codes, copies[1])

    def test_gives_tensors_without_gradient(self) -> None:
        codec = self.make()
        assert not codec.decode(self._codes(codec, 1, 3)).requires_grad

    def test_integer_samples_are_refused(self) -> None:
        codec = self.make()
        with pytest.raises(AudioError, match="float"):
            codec.encode(torch.zeros(1, 1, self._samples(codec, 2), dtype=torch.int16))

    def test_samples_that_are_not_numbers_are_refused(self) -> None:
        codec = self.make()
        for wrong in (math.nan, math.inf):
            audio = torch.zeros(1, 1, self._samples(codec, 2))
            audio[0, 0, 5] = wrong
            with pytest.raises(AudioError):
                codec.encode(audio)

    def test_codes_follow_the_sound(self) -> None:
        codec = self.make()
        samples = self._samples(codec, 40)
        codes = codec.encode(torch.stack([_sound(samples), _bursts(codec, samples)]))
        assert not torch.equal(codes[0], codes[1])
        assert torch.unique(codes[1], dim=1).shape[1] > 1, "all frames of a changing sound are one"

    def test_sound_follows_the_codes(self) -> None:
        codec = self.make()
        one, other = torch.split(self._codes(codec, 2, 12), 1)
        assert not torch.equal(codec.decode(one), codec.decode(other))

    def test_each_level_changes_the_sound(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 1, 12)
        for level in range(codec.levels):
            changed = codes.clone()
            changed[:, level] = (codes[:, level] + codec.codebook_size // 2) % codec.codebook_size
            assert not torch.equal(codec.decode(changed), codec.decode(codes)), f"level {level}"

    def test_what_comes_out_swells_with_what_went_in(self) -> None:
        codec = self._heard()
        samples = self._samples(codec, round(2 * codec.frame_rate))
        sound = _bursts(codec, samples)
        again = codec.decode(codec.encode(sound[None]))[0]
        window = round(0.05 * codec.sample_rate)
        pair = torch.stack([_swell(sound, window), _swell(again, window)])
        assert torch.corrcoef(pair)[0, 1] > 0.7

    def test_more_levels_come_closer(self) -> None:
        codec = self._heard()
        sound = _bursts(codec, self._samples(codec, round(2 * codec.frame_rate)))
        codes = codec.encode(sound[None])
        errors = [
            _distance(codec.decode(codes[:, :levels])[0], sound)
            for levels in range(1, codec.levels + 1)
        ]
        assert codec.levels == 1 or errors[-1] < errors[0]
        for before, after in itertools.pairwise(errors):
            assert after < 1.1 * before + 1e-6, errors

    def test_what_lies_a_little_beyond_full_scale_is_clipped(self) -> None:
        codec = self.make()
        loud = 3 * _sound(self._samples(codec, 5))[None]
        assert loud.abs().max() > 1
        assert torch.equal(codec.encode(loud), codec.encode(loud.clamp(-1, 1)))

    def test_samples_in_another_scale_are_refused(self) -> None:
        codec = self.make()
        with pytest.raises(AudioError, match=r"\[-1, 1\]"):
            codec.encode(32768 * _sound(self._samples(codec, 2))[None])

    def test_what_comes_out_is_where_the_input_is(self) -> None:
        codec = self.make()
        audio, codes = _sound(self._samples(codec, 5))[None], self._codes(codec, 1, 5)
        expected = codec.encode(audio), codec.decode(codes)
        # What is made without a device would be on this one, and what it is mixed with fails.
        with torch.device("meta"):
            found = codec.encode(audio), codec.decode(codes)
            empty = codec.decode(codes[:, :, :0])
            pieces = _pieces(codec, codes, [0, 2, 3])
        for tensor in (*found, empty, *pieces):
            assert tensor.device == audio.device
        assert torch.equal(found[0], expected[0])
        self._same(found[1], expected[1])

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
    def test_a_codec_with_weights_runs_on_a_gpu(self) -> None:
        codec = copy.deepcopy(self.make())
        audio, codes = _sound(self._samples(codec, 5))[None], self._codes(codec, 1, 5)
        expected = codec.decode(codes)
        if isinstance(codec, torch.nn.Module):
            codec.to("cuda")
        assert codec.encode(audio.cuda()).is_cuda
        torch.testing.assert_close(codec.decode(codes.cuda()).cpu(), expected, rtol=0.01, atol=0.01)
        pieces = torch.cat(_pieces(codec, codes.cuda(), [2, 3]), dim=-1)
        torch.testing.assert_close(pieces.cpu(), expected, rtol=0.01, atol=0.01)

    def test_stream_joined_up_is_the_whole(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 2, 23)
        whole = codec.decode(codes)
        for pieces in ([23], [1] * 23, [0, 2, 0, 13, 8]):
            self._same(torch.cat(_pieces(codec, codes, pieces), dim=-1), whole)

    def test_a_stream_of_fewer_levels_is_the_whole_of_them(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 1, 9)[:, :1]
        joined = torch.cat(_pieces(codec, codes, [4, 5]), dim=-1)
        self._same(joined, codec.decode(codes))

    def test_what_is_heard_piece_by_piece_is_the_whole(self) -> None:
        codec = self.make()
        if not isinstance(codec, Listening):
            pytest.skip("this codec does not encode sound as it comes")
        hop = self._samples(codec, 1)
        for samples in (5 * hop + 1, 23 * hop + hop // 3):
            audio = torch.stack([_sound(samples, seed) for seed in range(2)])
            whole = codec.encode(audio)
            for size in (samples, hop, 7 * hop + 5):
                listener = codec.listen()
                heard = [*map(listener.push, torch.split(audio, size, dim=2)), listener.flush()]
                joined = torch.cat(heard, dim=2)
                assert joined.shape == whole.shape
                assert (joined == whole).float().mean() > 0.97  # rounding may decide between two
        assert codec.listen().flush().shape == (1, codec.levels, 0)

    def test_a_frame_with_its_context_is_as_in_the_whole(self) -> None:
        codec = self.make()
        if not isinstance(codec, Local):
            pytest.skip("this codec does not say how far it sees")
        if (context := codec.encode_context) is not None:
            first = context + 3  # of what is near; more stands on both sides of it
            audio = _sound(self._samples(codec, 2 * (first + context) + 9))[None]
            near = audio[..., slice(*self._samples_of(codec, first, first + 2 * context + 9))]
            same = codec.encode(near)[..., context : context + 9]
            whole = codec.encode(audio)[..., first + context : first + context + 9]
            assert (same == whole).float().mean() > 0.97  # rounding may decide between two
        if (context := codec.decode_context) is not None:
            first = context + 3
            codes = self._codes(codec, 1, 2 * (first + context) + 9)
            near = codec.decode(codes[..., first : first + 2 * context + 9])
            inner = slice(*self._samples_of(codec, context, context + 9))
            outer = slice(*self._samples_of(codec, first + context, first + context + 9))
            self._same(near[..., inner], codec.decode(codes)[..., outer])

    def test_codes_are_joined_with_a_pause_cut_and_made_again(self) -> None:
        codec = self.make()
        one = to_codes(self._codes(codec, 1, 12)[0], codec)
        assert silence(codec, 5).values.shape == (codec.levels, 5)
        joined = join([one, one], codec, pause=3 / codec.frame_rate)
        assert joined.frames == 12 + 3 + 12
        assert cut(joined, 15 / codec.frame_rate) == one
        again = join([one, one], codec, again=True)
        assert again.values.shape == (codec.levels, 24)

    def test_an_unused_stream_ends_in_nothing(self) -> None:
        assert self.make().stream().flush().shape == (1, 1, 0)

    def test_a_causal_codec_speaks_before_the_end(self) -> None:
        codec = self.make()
        *pushed, _ = _pieces(codec, self._codes(codec, 1, 32), [16, 16])
        heard = sum(piece.shape[-1] for piece in pushed)
        assert (heard > 0) == codec.causal

    def test_two_streams_do_not_mix(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 2, 6)
        one, two = codec.stream(), codec.stream()
        first = [one.push(codes[:1, :, :3])]
        second = [two.push(codes[1:, :, :3])]
        first += [one.push(codes[:1, :, 3:]), one.flush()]
        second += [two.push(codes[1:, :, 3:]), two.flush()]
        self._same(torch.cat(first, dim=-1), codec.decode(codes[:1]))
        self._same(torch.cat(second, dim=-1), codec.decode(codes[1:]))

    def test_another_one_knows_nothing_of_it(self) -> None:
        one, other = self.make(), self.make()
        codes = self._codes(one, 2, 6)
        one.stream().push(codes[:1, :, :3])
        stream = other.stream()
        joined = torch.cat([stream.push(codes[1:]), stream.flush()], dim=-1)
        self._same(joined, one.decode(codes[1:]))

    def _heard(self) -> Codec:
        if not self.trained:
            pytest.skip("random weights need not sound like anything")
        return self.make()

    def _same(self, found: Tensor, expected: Tensor) -> None:
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=self.tolerance)

    def _samples(self, codec: Codec, frames: int) -> int:
        hop = frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate)
        return round(frames * hop)

    def _samples_of(self, codec: Codec, *frames: int) -> list[int]:
        return [self._samples(codec, each) for each in frames]

    def _codes(self, codec: Codec, batch: int, frames: int) -> Tensor:
        shape = (batch, codec.levels, frames)
        return torch.randint(codec.codebook_size, shape, generator=_generator(0))


def _sound(samples: int, seed: int = 0) -> Tensor:
    """A tone under a slow swell, with some noise: (1, samples)."""
    t = torch.arange(samples) / 16_000
    tone = torch.sin(2 * torch.pi * (150 + 70 * seed) * t) * torch.sin(9 * t + seed)
    return (0.4 * tone + 0.05 * torch.randn(samples, generator=_generator(seed)))[None]


def _bursts(codec: Codec, samples: int) -> Tensor:
    """A buzz on a slow wave, on and off four times a second: (1, samples)."""
    t = torch.arange(samples) / codec.sample_rate
    buzz = sum(torch.sin(2 * torch.pi * 140 * n * t + n) / n for n in range(1, 8))
    on = (torch.sin(8 * torch.pi * t + 0.5) > 0).float() * (1 + torch.sin(3 * t)) / 2
    return (on * (0.25 + 0.15 * buzz))[None].float()


def _swell(sound: Tensor, window: int) -> Tensor:
    """Energy of each `window` samples."""
    return sound.square().unfold(-1, window, window).mean(-1)[0].sqrt()


def _distance(one: Tensor, other: Tensor) -> float:
    """Between the magnitudes of their spectra, relative to the second."""
    window = torch.hann_window(512)
    a, b = (torch.stft(x, 512, window=window, return_complex=True).abs() for x in (one, other))
    return float((a - b).abs().sum() / b.sum())


def _pieces(codec: Codec, codes: Tensor, sizes: list[int]) -> list[Tensor]:
    stream = codec.stream()
    return [*(stream.push(piece) for piece in torch.split(codes, sizes, dim=2)), stream.flush()]


def _state(codec: Codec) -> dict[str, Tensor]:
    if not isinstance(codec, torch.nn.Module):
        return {}
    return copy.deepcopy(codec.state_dict())


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
