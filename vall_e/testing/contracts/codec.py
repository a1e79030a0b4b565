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
from vall_e.testing.contracts.requirements import require_close, require_equal, require_error


class CodecContract:
    """`make` returns a codec whose weights are always the same.

    `tolerance` is how much rounding may change a sample when the same codes are decoded in
    another batch or in pieces. `trained` is False for random weights: their output need not
    resemble the input, but all other laws apply.
    """

    tolerance = 5e-4
    trained = True

    def make(self) -> Codec:
        raise NotImplementedError

    def test_states_its_identity_and_sizes(self) -> None:
        codec = self.make()
        assert isinstance(codec, Codec), "it lacks a method or attribute of `vall_e.plugin.Codec`"
        assert codec.identity == self.make().identity, "`identity` changes between two instances"
        assert codec.identity, "`identity` is empty: name the codec and its weights"
        assert codec.sample_rate > 0, f"sample_rate is {codec.sample_rate}"
        assert codec.frame_rate > 0, f"frame_rate is {codec.frame_rate}"
        assert codec.levels > 0, f"levels is {codec.levels}"
        assert 1 < codec.codebook_size <= 2**15, (  # codes are stored as int16
            f"codebook_size is {codec.codebook_size}, it must be 2 to {2**15}"
        )

    def test_vectors_of_its_codes_fit_its_sizes(self) -> None:
        codec = self.make()
        if not isinstance(codec, Vectored):
            pytest.skip("this codec has no code vectors")
        vectors = codec.code_vectors()
        assert vectors.shape[:2] == (codec.levels, codec.codebook_size), (
            f"code_vectors has shape {tuple(vectors.shape)}, not (levels, codebook_size, width)"
        )
        assert vectors.is_floating_point(), f"code_vectors is {vectors.dtype}, not floating point"
        assert vectors.isfinite().all(), "code_vectors are not all finite"
        assert not vectors.requires_grad, "code_vectors has a gradient: use .detach()"

    def test_a_frame_is_a_whole_number_of_samples(self) -> None:
        codec = self.make()
        hop = frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate)
        assert hop.denominator == 1, (
            f"a frame has {float(hop):g} samples, not a whole number: sample_rate or frame_rate "
            "is wrong"
        )

    def test_an_incomplete_frame_counts_as_a_whole_one(self) -> None:
        codec = self.make()
        hop = self._samples(codec, 1)
        near = [n * hop + more for n in (1, 2, 7, 30) for more in (-1, 0, 1)]
        for samples in (0, 1, hop // 2, 3 * hop + hop // 3, *near):
            codes = codec.encode(_sound(samples)[None])
            frames = frame_count(
                samples, sample_rate=codec.sample_rate, frame_rate=codec.frame_rate
            )
            assert frames == -(-samples // hop)
            assert codes.shape == (1, codec.levels, frames), (
                f"{samples} samples give codes of shape {tuple(codes.shape)}, "
                f"not {(1, codec.levels, frames)}: pad the last frame"
            )

    def test_codes_are_in_range(self) -> None:
        codec = self.make()
        codes = codec.encode(_sound(self._samples(codec, 9))[None])
        assert not codes.is_floating_point(), f"codes are {codes.dtype}, not integers"
        assert codes.min() >= 0, f"a code is {int(codes.min())}, below 0"
        assert codes.max() < codec.codebook_size, (
            f"a code is {int(codes.max())}, codebook_size is {codec.codebook_size}"
        )

    def test_decodes_whole_frames_to_finite_sound(self) -> None:
        codec = self.make()
        codes = torch.zeros(2, codec.levels, 5, dtype=torch.long)
        sound = codec.decode(codes)
        shape = (2, 1, self._samples(codec, 5))
        assert sound.shape == shape, f"5 frames decode to {tuple(sound.shape)}, not {shape}"
        assert sound.dtype == torch.float32, f"decoded audio is {sound.dtype}, not float32"
        assert sound.isfinite().all(), "decoded audio is not all finite"

    def test_silence_can_be_encoded_and_decoded(self) -> None:
        codec = self.make()
        codes = codec.encode(torch.zeros(1, 1, self._samples(codec, 6)))
        assert codec.decode(codes).isfinite().all(), "silence decodes to values that are not finite"

    def test_a_row_is_encoded_the_same_in_any_batch(self) -> None:
        codec = self.make()
        rows = torch.stack([_sound(self._samples(codec, 7), seed) for seed in range(3)])
        together = codec.encode(rows)
        for i, row in enumerate(rows):
            require_equal(
                codec.encode(row[None])[0],
                together[i],
                f"row {i} has other codes in a batch than alone: rows are mixed or normalized "
                "together",
            )

    def test_a_row_is_decoded_the_same_in_any_batch(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 3, 6)
        together = codec.decode(codes)
        for i, row in enumerate(codes):
            self._same(
                codec.decode(row[None])[0], together[i], f"row {i} decodes otherwise in a batch"
            )

    def test_each_number_of_levels_decodes(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 1, 4)
        for levels in range(1, codec.levels + 1):
            sound = codec.decode(codes[:, :levels])
            assert sound.shape == (1, 1, self._samples(codec, 4)), (
                f"{levels} levels decode to shape {tuple(sound.shape)}"
            )

    def test_encoding_and_decoding_change_no_state(self) -> None:
        codec = self.make()
        audio = _sound(self._samples(codec, 6))[None]
        before = codec.encode(audio)
        state = _state(codec)
        sound = codec.decode(before)
        codec.encode(_sound(self._samples(codec, 4), 1)[None])
        codec.decode(self._codes(codec, 2, 3))
        require_equal(
            codec.encode(audio), before, "encoding again gives other codes: state is kept"
        )
        require_equal(
            codec.decode(before), sound, "decoding again gives other audio: state is kept"
        )
        for name, tensor in _state(codec).items():
            require_equal(
                tensor, state[name], f"encoding or decoding changed {name}: use eval mode"
            )

    def test_inputs_are_not_changed(self) -> None:
        codec = self.make()
        audio = _sound(self._samples(codec, 4))[None]
        codes = self._codes(codec, 1, 4)
        copies = audio.clone(), codes.clone()
        codec.encode(audio)
        codec.decode(codes)
        require_equal(audio, copies[0], "`encode` changed the audio in place: work on a copy")
        require_equal(codes, copies[1], "`decode` changed the codes in place: work on a copy")

    def test_gives_tensors_without_gradient(self) -> None:
        codec = self.make()
        sound = codec.decode(self._codes(codec, 1, 3))
        assert not sound.requires_grad, "decoded audio has a gradient: decode under torch.no_grad()"

    def test_integer_samples_are_refused(self) -> None:
        codec = self.make()
        message = "integer samples are accepted: raise AudioError that asks for floats"
        with require_error(AudioError, message, match="float"):
            codec.encode(torch.zeros(1, 1, self._samples(codec, 2), dtype=torch.int16))

    def test_samples_that_are_not_finite_are_refused(self) -> None:
        codec = self.make()
        for wrong in (math.nan, math.inf):
            audio = torch.zeros(1, 1, self._samples(codec, 2))
            audio[0, 0, 5] = wrong
            with require_error(AudioError, f"a sample of {wrong} is accepted: raise AudioError"):
                codec.encode(audio)

    def test_codes_follow_the_sound(self) -> None:
        codec = self.make()
        samples = self._samples(codec, 40)
        codes = codec.encode(torch.stack([_sound(samples), _bursts(codec, samples)]))
        assert not torch.equal(codes[0], codes[1]), "two different recordings have the same codes"
        assert torch.unique(codes[1], dim=1).shape[1] > 1, (
            "all frames of changing audio have the same codes"
        )

    def test_sound_follows_the_codes(self) -> None:
        codec = self.make()
        one, other = torch.split(self._codes(codec, 2, 12), 1)
        assert not torch.equal(codec.decode(one), codec.decode(other)), (
            "different codes decode to the same audio"
        )

    def test_each_level_changes_the_sound(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 1, 12)
        for level in range(codec.levels):
            changed = codes.clone()
            changed[:, level] = (codes[:, level] + codec.codebook_size // 2) % codec.codebook_size
            assert not torch.equal(codec.decode(changed), codec.decode(codes)), (
                f"other codes of level {level} do not change the audio: is the level used?"
            )

    def test_the_loudness_curve_is_preserved(self) -> None:
        codec = self._heard()
        samples = self._samples(codec, round(2 * codec.frame_rate))
        sound = _bursts(codec, samples)
        again = codec.decode(codec.encode(sound[None]))[0]
        window = round(0.05 * codec.sample_rate)
        pair = torch.stack([_swell(sound, window), _swell(again, window)])
        similarity = float(torch.corrcoef(pair)[0, 1])
        assert similarity > 0.7, (
            f"loudness over time correlates by {similarity:.2f}, less than 0.7: "
            "wrong sample rate, gain, or shifted frames?"
        )

    def test_more_levels_reduce_the_error(self) -> None:
        codec = self._heard()
        sound = _bursts(codec, self._samples(codec, round(2 * codec.frame_rate)))
        codes = codec.encode(sound[None])
        errors = [
            _distance(codec.decode(codes[:, :levels])[0], sound)
            for levels in range(1, codec.levels + 1)
        ]
        assert codec.levels == 1 or errors[-1] < errors[0], (
            f"the spectral error with all levels ({errors[-1]:.3f}) is not below one level's "
            f"({errors[0]:.3f}): are the levels in order?"
        )
        for before, after in itertools.pairwise(errors):
            assert after < 1.1 * before + 1e-6, (
                f"a level increases the spectral error: {[round(error, 3) for error in errors]}"
            )

    def test_samples_slightly_beyond_full_scale_are_clipped(self) -> None:
        codec = self.make()
        sound = _sound(self._samples(codec, 5))[None]
        loud = 1.5 * sound / sound.abs().max()
        require_equal(
            codec.encode(loud),
            codec.encode(loud.clamp(-1, 1)),
            "samples slightly beyond [-1, 1] are not clipped before encoding",
        )

    def test_samples_in_another_scale_are_refused(self) -> None:
        codec = self.make()
        message = "samples of 16-bit scale are accepted: raise AudioError that asks for [-1, 1]"
        with require_error(AudioError, message, match=r"\[-1, 1\]"):
            codec.encode(32768 * _sound(self._samples(codec, 2))[None])

    def test_outputs_are_on_the_device_of_the_input(self) -> None:
        codec = self.make()
        audio, codes = _sound(self._samples(codec, 5))[None], self._codes(codec, 1, 5)
        expected = codec.encode(audio), codec.decode(codes)
        # Tensors created without `device=` land on this device, and mixing them with others fails.
        message = "a tensor is created on the default device: pass device= or use register_buffer"
        try:
            with torch.device("meta"):
                found = codec.encode(audio), codec.decode(codes)
                empty = codec.decode(codes[:, :, :0])
                pieces = _pieces(codec, codes, [0, 2, 3])
        except (RuntimeError, NotImplementedError, ValueError) as exc:
            raise AssertionError(f"{message} ({exc})") from exc
        for tensor in (*found, empty, *pieces):
            assert tensor.device == audio.device, message
        require_equal(found[0], expected[0], message)
        self._same(found[1], expected[1], message)

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
    def test_a_codec_with_weights_runs_on_a_gpu(self) -> None:
        codec = copy.deepcopy(self.make())
        audio, codes = _sound(self._samples(codec, 5))[None], self._codes(codec, 1, 5)
        expected = codec.decode(codes)
        if isinstance(codec, torch.nn.Module):
            codec.to("cuda")
        assert codec.encode(audio.cuda()).is_cuda, "audio on a GPU is encoded to codes on the CPU"
        message = "audio decoded on the GPU differs from the CPU's"
        require_close(codec.decode(codes.cuda()).cpu(), expected, message, rtol=0.01, atol=0.01)
        pieces = torch.cat(_pieces(codec, codes.cuda(), [2, 3]), dim=-1)
        require_close(pieces.cpu(), expected, message, rtol=0.01, atol=0.01)

    def test_streamed_decoding_equals_the_whole(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 2, 23)
        whole = codec.decode(codes)
        for pieces in ([23], [1] * 23, [0, 2, 0, 13, 8]):
            joined = torch.cat(_pieces(codec, codes, pieces), dim=-1)
            self._same(joined, whole, f"streaming pieces of {pieces} frames differs from `decode`")

    def test_a_stream_of_fewer_levels_equals_the_whole(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 1, 9)[:, :1]
        joined = torch.cat(_pieces(codec, codes, [4, 5]), dim=-1)
        self._same(joined, codec.decode(codes), "streaming only level 0 differs from `decode`")

    def test_streamed_encoding_equals_the_whole(self) -> None:
        codec = self.make()
        if not isinstance(codec, Listening):
            pytest.skip("this codec cannot encode a stream")
        hop = self._samples(codec, 1)
        for samples in (5 * hop + 1, 23 * hop + hop // 3):
            audio = torch.stack([_sound(samples, seed) for seed in range(2)])
            whole = codec.encode(audio)
            for size in (samples, hop, 7 * hop + 5):
                listener = codec.listen()
                heard = [*map(listener.push, torch.split(audio, size, dim=2)), listener.flush()]
                joined = torch.cat(heard, dim=2)
                assert joined.shape == whole.shape, (
                    f"pieces of {size} samples give {tuple(joined.shape)}, not {tuple(whole.shape)}"
                )
                same = float((joined == whole).float().mean())  # rounding may flip a few
                assert same > 0.97, f"streaming pieces of {size} samples changes {1 - same:.0%}"
        rest = codec.listen().flush()
        assert rest.shape == (1, codec.levels, 0), f"an unused stream ends with {tuple(rest.shape)}"

    def test_a_frame_with_its_context_equals_the_whole(self) -> None:
        codec = self.make()
        if not isinstance(codec, Local):
            pytest.skip("this codec does not declare its context")
        if (context := codec.encode_context) is not None:
            first = context + 3  # start of the excerpt; more audio stands on both sides of it
            audio = _sound(self._samples(codec, 2 * (first + context) + 9))[None]
            near = audio[..., slice(*self._samples_of(codec, first, first + 2 * context + 9))]
            same = codec.encode(near)[..., context : context + 9]
            whole = codec.encode(audio)[..., first + context : first + context + 9]
            share = float((same == whole).float().mean())  # rounding may flip a few
            assert share > 0.97, (
                f"{1 - share:.0%} of the codes depend on more than encode_context={context} frames"
            )
        if (context := codec.decode_context) is not None:
            first = context + 3
            codes = self._codes(codec, 1, 2 * (first + context) + 9)
            near = codec.decode(codes[..., first : first + 2 * context + 9])
            inner = slice(*self._samples_of(codec, context, context + 9))
            outer = slice(*self._samples_of(codec, first + context, first + context + 9))
            message = f"audio depends on more than decode_context={context} frames"
            self._same(near[..., inner], codec.decode(codes)[..., outer], message)

    def test_codes_are_joined_with_a_pause_cut_and_encoded_again(self) -> None:
        codec = self.make()
        one = to_codes(self._codes(codec, 1, 12)[0], codec)
        quiet = silence(codec, 5).values
        assert quiet.shape == (codec.levels, 5), f"5 frames of silence have shape {quiet.shape}"
        joined = join([one, one], codec, pause=3 / codec.frame_rate)
        assert joined.frames == 12 + 3 + 12, f"joined codes have {joined.frames} frames, not 27"
        assert cut(joined, 15 / codec.frame_rate) == one, "cutting joined codes gives other codes"
        again = join([one, one], codec, again=True)
        assert again.values.shape == (codec.levels, 24), (
            f"codes encoded again have shape {again.values.shape}, not {(codec.levels, 24)}"
        )

    def test_an_unused_stream_ends_empty(self) -> None:
        rest = self.make().stream().flush()
        assert rest.shape == (1, 1, 0), (
            f"an unused stream ends with {tuple(rest.shape)}, not (1, 1, 0)"
        )

    def test_a_causal_codec_gives_audio_before_the_end(self) -> None:
        codec = self.make()
        *pushed, _ = _pieces(codec, self._codes(codec, 1, 32), [16, 16])
        heard = sum(piece.shape[-1] for piece in pushed)
        assert (heard > 0) == codec.causal, (
            f"causal is {codec.causal}, but {heard} samples came before the end of the stream"
        )

    def test_two_streams_do_not_mix(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 2, 6)
        one, two = codec.stream(), codec.stream()
        first = [one.push(codes[:1, :, :3])]
        second = [two.push(codes[1:, :, :3])]
        first += [one.push(codes[:1, :, 3:]), one.flush()]
        second += [two.push(codes[1:, :, 3:]), two.flush()]
        message = "two streams at once differ from two decoded alone: each needs its own state"
        self._same(torch.cat(first, dim=-1), codec.decode(codes[:1]), message)
        self._same(torch.cat(second, dim=-1), codec.decode(codes[1:]), message)

    def test_instances_share_no_state(self) -> None:
        one, other = self.make(), self.make()
        codes = self._codes(one, 2, 6)
        one.stream().push(codes[:1, :, :3])
        stream = other.stream()
        joined = torch.cat([stream.push(codes[1:]), stream.flush()], dim=-1)
        self._same(joined, one.decode(codes[1:]), "two instances share the state of a stream")

    def _heard(self) -> Codec:
        if not self.trained:
            pytest.skip("with random weights the output need not resemble the input")
        return self.make()

    def _same(self, found: Tensor, expected: Tensor, broken: str) -> None:
        require_close(found, expected, broken, rtol=1e-3, atol=self.tolerance)

    def _samples(self, codec: Codec, frames: int) -> int:
        hop = frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate)
        return round(frames * hop)

    def _samples_of(self, codec: Codec, *frames: int) -> list[int]:
        return [self._samples(codec, each) for each in frames]

    def _codes(self, codec: Codec, batch: int, frames: int) -> Tensor:
        shape = (batch, codec.levels, frames)
        return torch.randint(codec.codebook_size, shape, generator=_generator(0))


def _sound(samples: int, seed: int = 0) -> Tensor:
    """A tone with slowly varying loudness and some noise: (1, samples)."""
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
