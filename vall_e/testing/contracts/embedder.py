"""What every embedder of voices must do."""

from __future__ import annotations

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.interfaces.embedder import Embedder
from vall_e.testing.contracts.pytest_words import pytest

RATE = 16_000


class EmbedderContract:
    """`make` builds the embedder; skip in it where its package or weights are missing."""

    def make(self) -> Embedder:
        raise NotImplementedError

    @pytest.fixture
    def embedder(self) -> Embedder:
        return self.make()

    def test_vectors_have_length_one_and_one_width(self, embedder: Embedder) -> None:
        assert isinstance(embedder, Embedder)
        vectors = [embedder(_buzz(pitch, 1.5)) for pitch in (110.0, 220.0)]
        found = [vector for vector in vectors if vector is not None]
        assert all(vector.shape == found[0].shape == (vector.size,) for vector in found)
        assert all(abs(float(np.linalg.norm(vector)) - 1) < 1e-3 for vector in found)

    def test_what_was_heard_before_changes_nothing(self, embedder: Embedder) -> None:
        first = embedder(_buzz(110.0, 1.5))
        embedder(_buzz(220.0, 1.0))
        again = embedder(_buzz(110.0, 1.5))
        assert (first is None) == (again is None)
        assert first is None or again is None or np.allclose(first, again, atol=1e-5)

    @pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
    def test_silence_is_nobody(self, embedder: Embedder, seconds: float) -> None:
        assert embedder(Clip(np.zeros(round(seconds * RATE), np.float32), RATE)) is None

    def test_another_rate_and_two_channels_are_no_matter(self, embedder: Embedder) -> None:
        one, other = _buzz(110.0, 1.5), _buzz(110.0, 1.5, 32_000)
        first, second = embedder(one), embedder(Clip(np.stack([other.samples] * 2), 32_000))
        assert (first is None) == (second is None)
        assert first is None or second is None or float(first @ second) > 0.9


def _buzz(pitch: float, seconds: float, rate: int = RATE) -> Clip:
    """Harmonics of a pitch up to 4 kHz, louder and softer four times a second."""
    time = np.arange(round(seconds * rate)) / rate
    waves = [np.sin(2 * np.pi * pitch * n * time) / n for n in range(1, int(4000 / pitch))]
    swell = 0.2 + np.sin(2 * np.pi * 2 * time) ** 2
    return Clip((0.1 * swell * np.sum(waves, axis=0)).astype(np.float32), rate)
