"""Was the text said? Word errors of Whisper, which hears far better than pocketsphinx."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vall_e.plugin import Figure, Score, UnavailableError, Verdict, sha256_of
from vall_e_judges.judge_audio import Samples, samples_of
from vall_e_judges.optional_packages import require
from vall_e_judges.word_errors import word_errors

if TYPE_CHECKING:
    from vall_e.plugin import Evidence
    from vall_e_judges.options import WhisperJudgeConfig

EXTRA = 'pip install "vall-e[whisper]"'
HINT = "docs/evaluation.md says where a folder of weights is"
NO_TEXT = "it is not known what should be said"
SHORTEST_SECONDS = 0.2
"""In less, nothing is heard."""

Hear = Callable[[Samples], str]
"""Samples at 16 kHz to what is said."""
Normalize = Callable[[str], str]
"""Makes texts comparable: numbers, spellings, abbreviations, no punctuation."""


class WhisperWer:
    """Errors for words, of texts that Whisper's own normaliser of English made comparable.

    A long sentence weighs more.
    """

    packages = ("faster-whisper", "ctranslate2", "whisper-normalizer")
    remarks = ()

    def __init__(self, hear: Hear, normalize: Normalize, weights: dict[str, str]) -> None:
        self._hear, self._normalize = hear, normalize
        self.weights = weights
        self.figures = {"whisper_wer": Figure("word error rate of Whisper", better="lower")}

    def __call__(self, evidence: Evidence) -> Verdict:
        words = self._normalize(evidence.text or "").split()
        if not words:
            return Verdict({"whisper_wer": Score(None, reason=NO_TEXT)})
        samples = samples_of(evidence)
        text = self._hear(samples) if evidence.clip.seconds >= SHORTEST_SECONDS else ""
        errors = word_errors(words, self._normalize(text).split())
        return Verdict({"whisper_wer": Score(errors, len(words))}, {"heard by Whisper": text})


def open_judge(config: WhisperJudgeConfig) -> WhisperWer:
    """With the weights in a local folder; nothing is downloaded."""
    if config.model is None:
        raise UnavailableError("the judge whisper needs a folder of weights", hint=HINT)
    folder = Path(config.model)
    if not (folder / "model.bin").is_file():
        raise UnavailableError(f"there is no file {folder / 'model.bin'}", hint=HINT)
    require("whisper", "faster_whisper", "whisper_normalizer.english", extra=EXTRA)
    from whisper_normalizer.english import EnglishTextNormalizer

    digest = hashlib.sha256("".join(map(sha256_of, sorted(folder.iterdir()))).encode())
    weights = {f"Whisper {folder.name}": digest.hexdigest()}
    return WhisperWer(_hearing(config, folder), EnglishTextNormalizer(), weights)


def _hearing(config: WhisperJudgeConfig, folder: Path) -> Hear:
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(folder),
        device="cpu",
        compute_type=config.compute_type,
        cpu_threads=config.threads,
        local_files_only=True,
    )

    def hear(samples: Samples) -> str:
        # no fallback to a temperature, which would draw at random, and no memory of other clips
        segments, _ = model.transcribe(
            samples,
            language="en",
            beam_size=config.beams,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments)

    return hear
