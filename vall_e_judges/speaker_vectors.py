"""Speaker vectors as in Resemblyzer (Wan et al. 2017), from the weights in its package.

Its own code needs librosa, numba and a module that new versions of scipy lack, and takes half a
minute to start, although it computes little.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vall_e.plugin import UnavailableError
from vall_e_judges.judge_audio import Samples
from vall_e_judges.optional_packages import EXTRA

SAMPLE_RATE = 16_000
LEVEL_DECIBELS = -30.0
"""Quieter recordings are amplified to this level."""
WINDOW = 480
"""Samples per decision of the voice activity detector: 30 ms."""
SMOOTHED, DILATED = 8, 7
"""Number of windows over which decisions are smoothed, and then extended."""
FFT, HOP, BANDS = 400, 160, 40
PART_FRAMES, PART_STEP = 160, 77
"""A vector is the mean over segments of 1.6 s, 1.3 of them per second."""
LEAST_COVERAGE = 0.75
"""A last segment filled less than this is left out."""
WIDTH, LAYERS = 256, 3


class SpeakerEncoder(nn.Module):
    """Three LSTM layers and a linear one, over a mel spectrogram."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, WIDTH, LAYERS, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)
        self.register_buffer("bands", mel_bands(), persistent=False)
        self.register_buffer("window", torch.hann_window(FFT), persistent=False)
        self.bands: Tensor
        self.window: Tensor

    @classmethod
    def load(cls, path: Path) -> SpeakerEncoder:
        """From Resemblyzer's `pretrained.pt`: tensors only, no code of a pickle is executed."""
        encoder = cls()
        saved = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
        names = encoder.state_dict().keys()
        encoder.load_state_dict({name: saved[name] for name in names})
        return encoder.eval()

    def vector(self, samples: Samples) -> NDArray[np.float32] | None:
        """Of length 1, from samples at 16 kHz; None if they contain no speech."""
        speech = only_speech(samples)
        if not len(speech):
            return None
        starts = part_starts(len(speech))
        missing = (starts[-1] + PART_FRAMES) * HOP - len(speech)
        padded = np.pad(speech, (0, max(0, missing))).astype(np.float32)
        with torch.inference_mode():
            mels = self._mels(torch.from_numpy(padded))
            parts = torch.stack([mels[start : start + PART_FRAMES] for start in starts])
            _, (hidden, _) = self.lstm(parts)
            vectors = nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)
            mean: NDArray[np.float32] = nn.functional.normalize(vectors.mean(dim=0), dim=0).numpy()
        return mean

    def _mels(self, samples: Tensor) -> Tensor:
        spectrum = torch.stft(
            samples, FFT, HOP, window=self.window, pad_mode="constant", return_complex=True
        )
        return (self.bands @ spectrum.abs() ** 2).T


def packaged_weights() -> Path:
    """The file in the installed package; its modules are not imported."""
    try:
        path = Path(str(metadata.distribution("Resemblyzer").locate_file("resemblyzer")))
    except metadata.PackageNotFoundError as exc:
        raise UnavailableError(
            "the judge similarity needs the weights in the package Resemblyzer, which is not "
            "installed",
            hint=EXTRA,
        ) from exc
    return path / "pretrained.pt"


def only_speech(samples: Samples) -> Samples:
    """Amplified if too quiet, and without long pauses."""
    power = float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0
    if power == 0.0:
        return samples[:0]
    level = 10 * np.log10(power)
    if level < LEVEL_DECIBELS:
        samples = samples * np.float32(10 ** ((LEVEL_DECIBELS - level) / 20))
    samples = samples[: len(samples) // WINDOW * WINDOW]
    return samples[np.repeat(_spread(_voiced(samples)), WINDOW)]


def part_starts(samples: int) -> list[int]:
    """The first frame of each segment."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - PART_FRAMES + PART_STEP + 1), PART_STEP))
    covered = (samples - starts[-1] * HOP) / (PART_FRAMES * HOP)
    return starts[:-1] if covered < LEAST_COVERAGE and len(starts) > 1 else starts


def mel_bands() -> Tensor:
    """Weights (bands, frequencies) of triangles with equal area, on Slaney's mel scale."""
    mels = np.linspace(0.0, 15 + np.log(8.0) * 27 / np.log(6.4), BANDS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
    hertz = np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1)
    lower, middle, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hertz - lower) / (middle - lower), (upper - hertz) / (upper - middle)
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower)
    return torch.from_numpy(triangles.astype(np.float32))


def _voiced(samples: Samples) -> NDArray[np.bool_]:
    """Whether each window contains speech."""
    # `webrtcvad` itself imports pkg_resources, which new versions of setuptools lack.
    from _webrtcvad import create, init, process, set_mode

    detector = create()
    init(detector)
    set_mode(detector, 3)
    pcm = (np.clip(np.round(samples * 32767), -32768, 32767)).astype("<i2")
    windows = pcm.reshape(-1, WINDOW)
    return np.array([process(detector, SAMPLE_RATE, w.tobytes(), WINDOW) for w in windows], bool)


def _spread(voiced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The decisions, smoothed, and extended to their neighbours."""
    if not len(voiced):
        return voiced
    around = np.pad(voiced.astype(float), ((SMOOTHED - 1) // 2, SMOOTHED // 2))
    share = np.convolve(around, np.ones(SMOOTHED), mode="valid") / SMOOTHED
    near = np.convolve(np.round(share), np.ones(DILATED))
    return near[DILATED // 2 : DILATED // 2 + len(voiced)] > 0.5
