"""What a speech recogniser makes of a recording (pocketsphinx, with the model it carries)."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray
from pocketsphinx import Decoder, get_model_path
from pocketsphinx.lm import ArpaBoLM

SAMPLE_RATE = 16_000
PADDING_SECONDS = 0.25
PEAK = 0.7
DITHER = 1e-4
"""Digital silence upsets the recogniser."""
SHORTEST_SECONDS = 0.2
"""In less, nothing is heard."""
AMONG = 50
"""Sentences of a forced choice."""

Samples = NDArray[np.float32]


def read(path: Path) -> Samples:
    """Mono, 16 kHz."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    mono: Samples = samples.mean(axis=1)
    return mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)


def plain(text: str) -> str:
    """Small letters and apostrophes, as in the recogniser's dictionary."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("-", " ")
    letters = re.sub(r"[^a-z' ]+", " ", text)
    return " ".join(word.strip("'") for word in letters.split() if word.strip("'"))


@cache
def dictionary() -> frozenset[str]:
    """The words that can be heard."""
    lines = _model("cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0].split("(")[0] for line in lines if line.strip())


def known(text: str) -> bool:
    return bool(text) and dictionary().issuperset(text.split())


class Listener:
    """Hears words: any (`open`), or those of some sentences only (`closed`)."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    @classmethod
    def open(cls) -> Listener:
        """With the recogniser's own language model."""
        return cls(_decoder(_model("en-us.lm.bin")))

    @classmethod
    def closed(cls, sentences: Iterable[str]) -> Listener:
        """With a language model made of these sentences."""
        model = ArpaBoLM(text="".join(f"<s> {sentence} </s>\n" for sentence in sorted(sentences)))
        model.compute()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "closed.lm"
            model.write_file(str(path))
            return cls(_decoder(path))

    def hear(self, samples: Samples) -> str:
        if len(samples) <= SHORTEST_SECONDS * SAMPLE_RATE:
            return ""
        return _hear(self._decoder, samples)


def choose(samples: Samples, text: str, candidates: Iterable[str], *, seed: int = 0) -> str:
    """The sentence that was heard, if it must be `text` or one of 49 candidates."""
    if len(samples) <= SHORTEST_SECONDS * SAMPLE_RATE:
        return ""
    others = [sentence for sentence in sorted(set(candidates)) if sentence != text]
    random.Random(f"{seed} {text}").shuffle(others)
    decoder = _decoder(None, beam=1e-100, wbeam=1e-80, pbeam=1e-100, bestpath=False)
    sentences = " | ".join([text, *others[: AMONG - 1]])
    decoder.add_jsgf_string("choice", f"#JSGF V1.0;\ngrammar g;\npublic <s> = {sentences} ;\n")
    decoder.activate_search("choice")
    return _hear(decoder, samples)


def _model(name: str) -> Path:
    return Path(get_model_path()) / "en-us" / name


def _decoder(language_model: Path | None, **beams: float | bool) -> Decoder:
    return Decoder(
        hmm=str(_model("en-us")),
        dict=str(_model("cmudict-en-us.dict")),
        lm=language_model and str(language_model),
        loglevel="FATAL",
        **beams,
    )


def _hear(decoder: Decoder, samples: Samples) -> str:
    decoder.start_utt()
    decoder.process_raw(_pcm(samples), full_utt=True)
    decoder.end_utt()
    return plain(decoder.hyp().hypstr) if decoder.hyp() else ""


def _pcm(samples: Samples) -> bytes:
    """16 bits, with silence on both sides, one peak level and a little dither."""
    silence = np.zeros(int(PADDING_SECONDS * SAMPLE_RATE), np.float32)
    padded = np.concatenate([silence, samples, silence])
    noise = np.random.RandomState(0).randn(len(padded)).astype(np.float32) * DITHER
    padded = padded / max(np.abs(padded).max(), 1e-9) * PEAK + noise
    return bytes((np.clip(padded, -1, 1) * 32767).astype("<i2").tobytes())
