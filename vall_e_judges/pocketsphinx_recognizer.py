"""Speech recognition by pocketsphinx, with the model in its package."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vall_e_judges.judge_audio import SAMPLE_RATE, Samples
from vall_e_judges.word_errors import plain

if TYPE_CHECKING:
    from pocketsphinx import Decoder

PADDING_SECONDS = 0.25
PEAK = 0.7
DITHER = 1e-4
"""Digital silence disturbs the recognizer."""
SHORTEST_SECONDS = 0.2
"""Shorter recordings are not transcribed."""
FRAMES = 100
"""The recognizer's frames per second."""
WIDE = {"beam": 1e-100, "wbeam": 1e-80, "pbeam": 1e-100, "bestpath": False}
"""No sentence of a forced choice is pruned early."""


class Dictionary:
    """The words that the recognizer knows."""

    @cached_property
    def words(self) -> frozenset[str]:
        lines = _model("cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
        return frozenset(line.split()[0].split("(")[0] for line in lines if line.strip())

    def unknown(self, text: str) -> list[str]:
        return [word for word in text.split() if word not in self.words]


class Recognizer:
    """Transcribes words. Earlier recordings never affect later ones."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    @classmethod
    def open(cls) -> Recognizer:
        """With the recognizer's own language model: any words."""
        return cls(_decoder(lm=str(_model("en-us.lm.bin"))))

    @classmethod
    def closed(cls, sentences: Iterable[str]) -> Recognizer:
        """With a language model built from these sentences."""
        from pocketsphinx.lm import ArpaBoLM

        model = ArpaBoLM(text="".join(f"<s> {sentence} </s>\n" for sentence in sorted(sentences)))
        model.compute()
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "closed.lm")
            model.write_file(path)
            return cls(_decoder(lm=path))

    def transcribe(self, samples: Samples) -> str:
        return _transcribe(self._decoder, samples)

    def words(self, samples: Samples) -> list[tuple[str, float, float]]:
        """Each recognized word, with its start and end in seconds."""
        if not _transcribe(self._decoder, samples):
            return []
        end = len(samples) / SAMPLE_RATE
        return [
            (
                text,
                min(max(segment.start_frame / FRAMES - PADDING_SECONDS, 0.0), end),
                min(max((segment.end_frame + 1) / FRAMES - PADDING_SECONDS, 0.0), end),
            )
            for segment in self._decoder.seg()
            if segment.word[0] not in "<[+" and (text := plain(segment.word.split("(")[0]))
        ]


class Chooser:
    """Recognizes which of several sentences was said."""

    def __init__(self, sentences: Iterable[str], *, among: int, seed: int) -> None:
        self._sentences = sorted(set(sentences))
        self._among = among
        self._seed = seed
        self._decoder = _decoder(lm=None, **WIDE)

    def choose(self, samples: Samples, text: str) -> str:
        """`text` or one of the others, which depend on the seed and the text; or empty."""
        others = [sentence for sentence in self._sentences if sentence != text]
        random.Random(f"{self._seed} {text}").shuffle(others)
        sentences = " | ".join([text, *others[: self._among - 1]])
        grammar = f"#JSGF V1.0;\ngrammar g;\npublic <s> = {sentences} ;\n"
        self._decoder.add_jsgf_string("choice", grammar)
        self._decoder.activate_search("choice")
        return _transcribe(self._decoder, samples)


def model_files() -> list[Path]:
    """The files in pocketsphinx that the figures depend on."""
    return [
        *sorted(_model("en-us").iterdir()),
        _model("en-us.lm.bin"),
        _model("cmudict-en-us.dict"),
    ]


def _model(name: str) -> Path:
    from pocketsphinx import get_model_path

    return Path(get_model_path()) / "en-us" / name


def _decoder(lm: str | None, **beams: float | bool) -> Decoder:
    from pocketsphinx import Decoder

    return Decoder(
        hmm=str(_model("en-us")),
        dict=str(_model("cmudict-en-us.dict")),
        lm=lm,
        loglevel="FATAL",
        **beams,
    )


def _transcribe(decoder: Decoder, samples: Samples) -> str:
    if len(samples) <= SHORTEST_SECONDS * SAMPLE_RATE:
        return ""
    decoder.reinit_feat()  # otherwise its noise estimate comes from the recording before
    decoder.start_utt()
    decoder.process_raw(_pcm(samples), full_utt=True)
    decoder.end_utt()
    return plain(decoder.hyp().hypstr) if decoder.hyp() else ""


def _pcm(samples: Samples) -> bytes:
    """16 bits, with silence on both sides, a fixed peak level and a little dither."""
    silence = np.zeros(int(PADDING_SECONDS * SAMPLE_RATE), np.float32)
    padded = np.concatenate([silence, samples, silence])
    noise = np.random.RandomState(0).randn(len(padded)).astype(np.float32) * DITHER
    padded = padded / max(np.abs(padded).max(), 1e-9) * PEAK + noise
    return bytes((np.clip(padded, -1, 1) * 32767).astype("<i2").tobytes())
