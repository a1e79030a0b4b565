"""How alike two recordings are: the speaker (Resemblyzer) and the signal (PESQ, STOI, DNSMOS)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hearing import SAMPLE_RATE, Samples, read
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi
from resemblyzer import VoiceEncoder, preprocess_wav
from speechmos import dnsmos


class Speakers:
    """Speaker vectors of recordings, each made once."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._encoder = VoiceEncoder("cpu", verbose=False)
        self._kept: dict[Path, NDArray[np.float32]] = {}

    def similarity(self, one: Path, other: Path) -> float:
        """Cosine. Raises what Resemblyzer raises for silence and for what is too short."""
        return float(self._vector(one) @ self._vector(other))

    def _vector(self, path: Path) -> NDArray[np.float32]:
        if path not in self._kept:
            self._kept[path] = self._encoder.embed_utterance(preprocess_wav(read(path)))
        return self._kept[path]


def signal_figures(original: Samples, decoded: Samples) -> dict[str, float]:
    """Figures for a codec; `decoded` is cut or padded to the length of the original."""
    decoded = np.pad(decoded, (0, max(0, len(original) - len(decoded))))[: len(original)]
    loudest = max(1.0, float(np.abs(decoded).max()))
    quality = dnsmos.run(np.clip(decoded / loudest, -1, 1), SAMPLE_RATE)
    return {
        "pesq_wb": round(float(pesq(SAMPLE_RATE, original, decoded, "wb")), 3),
        "stoi": round(float(stoi(original, decoded, SAMPLE_RATE)), 3),
        "estoi": round(float(stoi(original, decoded, SAMPLE_RATE, extended=True)), 3),
        "dnsmos": round(float(quality["ovrl_mos"]), 2),
    }
