"""What every speaker embedder must do."""

from __future__ import annotations

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.interfaces.embedder import Embedder
from vall_e.testing.contracts.pytest_words import pytest

RATE = 16_000


class EmbedderContract:
    """`make` builds the embedder; skip in it if its package or weights are missing."""

    def make(self) -> Embedder:
        raise NotImplementedError

    @pytest.fixture
    def embedder(self) -> Embedder:
        return self.make()

    def test_vectors_have_unit_length_and_one_size(self, embedder: Embedder) -> None:
        assert isinstance(embedder, Embedder), "an embedder must be callable with a clip"
        vectors = [embedder(_buzz(pitch, 1.5)) for pitch in (110.0, 220.0)]
        found = [vector for vector in vectors if vector is not None]
        shapes = [vector.shape for vector in found]
        assert all(len(shape) == 1 and shape == shapes[0] for shape in shapes), (
            f"vectors have shapes {shapes}: they must be (d,), the same for all"
        )
        norms = [float(np.linalg.norm(vector)) for vector in found]
        assert all(abs(norm - 1) < 1e-3 for norm in norms), f"vectors have lengths {norms}, not 1"

    def test_earlier_recordings_have_no_effect(self, embedder: Embedder) -> None:
        first = embedder(_buzz(110.0, 1.5))
        embedder(_buzz(220.0, 1.0))
        again = embedder(_buzz(110.0, 1.5))
        assert (first is None) == (again is None), "a clip has a vector the first time only"
        assert first is None or again is None or np.allclose(first, again, atol=1e-5), (
            "the vector of a clip changes after another clip: state is kept between clips"
        )

    @pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
    def test_silence_gives_no_vector(self, embedder: Embedder, seconds: float) -> None:
        vector = embedder(Clip(np.zeros(round(seconds * RATE), np.float32), RATE))
        assert vector is None, f"{seconds} s of silence gives a vector: return None"

    def test_accepts_any_rate_and_two_channels(self, embedder: Embedder) -> None:
        one, other = _buzz(110.0, 1.5), _buzz(110.0, 1.5, 32_000)
        first, second = embedder(one), embedder(Clip(np.stack([other.samples] * 2), 32_000))
        assert (first is None) == (second is None), "at another rate in stereo a clip has no vector"
        assert first is None or second is None or float(first @ second) > 0.9, (
            f"the same sound at 32 kHz in stereo has similarity {float(first @ second):.2f}: "
            "mix to mono and resample"
        )


def _buzz(pitch: float, seconds: float, rate: int = RATE) -> Clip:
    """Harmonics of a pitch up to 4 kHz, louder and softer four times a second."""
    time = np.arange(round(seconds * rate)) / rate
    waves = [np.sin(2 * np.pi * pitch * n * time) / n for n in range(1, int(4000 / pitch))]
    swell = 0.2 + np.sin(2 * np.pi * 2 * time) ** 2
    return Clip((0.1 * swell * np.sum(waves, axis=0)).astype(np.float32), rate)
