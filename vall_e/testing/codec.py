"""What every codec must do."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor

from vall_e.errors import AudioError
from vall_e.interfaces import Codec


class CodecContract:
    """`make` returns a codec whose weights are always the same, trained or not.

    `tolerance` is what rounding may change in a sample when the same codes are decoded in
    another batch or in pieces.
    """

    tolerance = 1e-4

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
        assert codec.codebook_size > 1

    def test_a_started_frame_is_a_whole_frame(self) -> None:
        codec = self.make()
        hop = codec.sample_rate / codec.frame_rate
        for samples in (1, round(hop) - 1, round(hop), round(hop) + 1, round(3.5 * hop) + 7):
            codes = codec.encode(_sound(samples)[None])
            frames = math.ceil(samples / codec.sample_rate * codec.frame_rate)
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

    def test_stream_joined_up_is_the_whole(self) -> None:
        codec = self.make()
        codes = self._codes(codec, 2, 23)
        whole = codec.decode(codes)
        for pieces in ([23], [1] * 23, [0, 2, 0, 13, 8]):
            self._same(torch.cat(_pieces(codec, codes, pieces), dim=-1), whole)

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

    def _same(self, found: Tensor, expected: Tensor) -> None:
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=self.tolerance)

    def _samples(self, codec: Codec, frames: int) -> int:
        return round(frames * codec.sample_rate / codec.frame_rate)

    def _codes(self, codec: Codec, batch: int, frames: int) -> Tensor:
        shape = (batch, codec.levels, frames)
        return torch.randint(codec.codebook_size, shape, generator=_generator(0))


def _sound(samples: int, seed: int = 0) -> Tensor:
    """A tone under a slow swell, with some noise: (1, samples)."""
    t = torch.arange(samples) / 16_000
    tone = torch.sin(2 * torch.pi * (150 + 70 * seed) * t) * torch.sin(9 * t + seed)
    return (0.4 * tone + 0.05 * torch.randn(samples, generator=_generator(seed)))[None]


def _pieces(codec: Codec, codes: Tensor, sizes: list[int]) -> list[Tensor]:
    stream = codec.stream()
    return [*(stream.push(piece) for piece in torch.split(codes, sizes, dim=2)), stream.flush()]


def _state(codec: Codec) -> dict[str, Tensor]:
    if not isinstance(codec, torch.nn.Module):
        return {}
    return copy.deepcopy(codec.state_dict())


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
