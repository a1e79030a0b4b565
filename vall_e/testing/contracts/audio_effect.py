"""What every effect on finished audio must do."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from vall_e.interfaces.audio_effect import AudioEffect, Detecting
from vall_e.testing.contracts.pytest_words import pytest

if TYPE_CHECKING:
    from jaxtyping import Float32

PROVENANCE = {"text": "Hello.", "voice": None, "seed": 1, "model": {"file": "tiny.safetensors"}}


class AudioEffectContract:
    """`make` builds the effect."""

    sample_rate: int = 24000
    """Samples per second of the test signal."""
    seconds: float = 1.0
    """Its length; a mark may need more to be found."""
    tolerance: float = 1e-4
    """By how much samples may differ between one way of cutting the audio and another."""

    def make(self) -> AudioEffect:
        raise NotImplementedError

    def test_pieces_join_to_the_whole(self) -> None:
        """Streamed audio is the audio of the result."""
        effect, audio = self.make(), self._speech()
        whole = self._run(effect, [audio])
        for size in (1 + len(audio) // 3, 997):
            pieces = [audio[start : start + size] for start in range(0, len(audio), size)]
            joined = self._run(effect, pieces)
            _require_same(
                joined, whole, f"pieces of {size} samples sound different", self.tolerance
            )

    def test_as_many_samples_come_out_as_went_in(self) -> None:
        effect = self.make()
        for length in (1, 480, round(self.seconds * self.sample_rate)):
            out = self._run(effect, [self._speech()[:length]])
            assert len(out) == length, (
                f"of {length} samples {len(out)} come out: does `flush` give what is held back?"
            )

    def test_works_at_any_sample_rate(self) -> None:
        effect = self.make()
        for rate in (8000, 16000, 22050, 44100, 48000):
            audio = self._speech()[: rate // 2]
            out = self._run(effect, [audio], rate=rate)
            assert len(out) == len(audio), f"at {rate} Hz {len(out)} of {len(audio)} samples"

    def test_nothing_gives_nothing(self) -> None:
        stream = self.make().stream(self.sample_rate, PROVENANCE)
        parts = [stream.push(np.zeros(0, np.float32)), stream.flush()]
        lengths = [len(part) for part in parts]
        assert lengths == [0, 0], f"no samples give {lengths} samples"

    def test_gives_samples_that_a_file_can_hold(self) -> None:
        """Also of audio at full scale."""
        loud = np.sign(self._speech()).astype(np.float32)
        for audio in (self._speech(), loud):
            out = self._run(self.make(), [audio])
            assert out.dtype == np.float32, f"samples are {out.dtype}, not float32"
            assert out.ndim == 1, f"the shape is {out.shape}, not (s,)"
            assert np.isfinite(out).all(), "some samples are not finite"
            assert np.abs(out).max() <= 1.0, f"the peak is {np.abs(out).max():.3g}, over 1"

    def test_silence_stays_silent(self) -> None:
        out = self._run(self.make(), [np.zeros(self.sample_rate, np.float32)])
        assert np.abs(out).max() < 1e-3, f"silence has a peak of {np.abs(out).max():.2g}"

    def test_sounds_stay_in_their_places(self) -> None:
        """What is held back comes out without a delay in the audio itself."""
        audio = self._speech()
        out = self._run(self.make(), [audio])
        spectra = np.fft.rfft(out, 2 * len(audio)) * np.fft.rfft(audio, 2 * len(audio)).conj()
        shift = int(np.fft.irfft(spectra).argmax())
        assert shift == 0, f"the audio is moved by {shift} samples: drop the effect's own delay"

    def test_the_same_audio_gives_the_same(self) -> None:
        effect, audio = self.make(), self._speech()
        first = self._run(effect, [audio])
        self._run(effect, [audio[::-1].copy()])
        again = self._run(effect, [audio])
        _require_same(again, first, "a second request with the same audio sounds different", 0)

    def test_requests_do_not_disturb_each_other(self) -> None:
        effect, audio = self.make(), self._speech()
        alone = self._run(effect, [audio])
        mine, other = (effect.stream(self.sample_rate, dict(PROVENANCE)) for _ in range(2))
        parts = []
        for piece in np.array_split(audio, 5):
            parts.append(mine.push(piece))
            other.push(piece[::-1].copy())
        together = np.concatenate([*parts, mine.flush()])
        _require_same(together, alone, "beside another request it sounds different", self.tolerance)

    def test_does_not_change_its_input(self) -> None:
        audio, provenance = self._speech(), copy.deepcopy(PROVENANCE)
        before = audio.copy()
        stream = self.make().stream(self.sample_rate, provenance)
        stream.push(audio)
        stream.flush()
        assert np.array_equal(audio, before), "`push` changes its argument: work on a copy"
        assert provenance == PROVENANCE, "the provenance was changed: work on a copy"

    def test_finds_its_own_mark_only(self) -> None:
        """For an effect with `detect`, which `vall-e provenance` asks."""
        effect, audio = self.make(), self._speech()
        if not isinstance(effect, Detecting):
            pytest.skip("it has no `detect`")
        marked = self._run(effect, [audio])
        found = effect.detect(marked, self.sample_rate)
        assert found, "`detect` finds no mark in audio that went through it"
        assert "\n" not in found, f"`detect` gives several lines: {found!r}"
        false = effect.detect(audio, self.sample_rate)
        assert false is None, f"`detect` finds {false!r} in audio without a mark"

    def _run(
        self, effect: AudioEffect, pieces: list[Float32[np.ndarray, " s"]], rate: int = 0
    ) -> Float32[np.ndarray, " s"]:
        provenance: dict[str, Any] = copy.deepcopy(PROVENANCE)
        stream = effect.stream(rate or self.sample_rate, provenance)
        parts = [stream.push(piece) for piece in pieces]
        return np.concatenate([*parts, stream.flush()])

    def _speech(self) -> Float32[np.ndarray, " s"]:
        """Harmonics of a gliding voice with syllables, and some noise."""
        time = np.arange(round(self.seconds * self.sample_rate)) / self.sample_rate
        phase = 2 * np.pi * (120 * time + 15 * np.sin(2 * np.pi * 0.7 * time))
        voice = sum(np.sin(n * phase + n) / n for n in range(1, 25))
        noise = np.random.default_rng(0).standard_normal(len(time))
        syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)
        audio = (voice + 0.05 * noise) * syllables
        return np.asarray(0.5 * audio / np.abs(audio).max(), np.float32)


def _require_same(
    found: Float32[np.ndarray, " n"],
    expected: Float32[np.ndarray, " m"],
    broken: str,
    tolerance: float,
) -> None:
    assert len(found) == len(expected), f"{broken}: {len(found)} samples, not {len(expected)}"
    most = float(np.abs(found - expected).max())
    assert most <= tolerance, f"{broken}: samples differ by up to {most:.3g}"
