"""Intelligibility: a recognizer transcribes the clip three times, with more knowledge each time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from vall_e.plugin import Figure, Score, Verdict, sha256_of
from vall_e_judges.judge_audio import samples_of
from vall_e_judges.optional_packages import require
from vall_e_judges.word_errors import plain, word_errors

if TYPE_CHECKING:
    from vall_e.plugin import Case, Evidence
    from vall_e_judges.options import RecognitionJudgeConfig

NO_TEXT = "its reference text is not known"


class RecognitionJudge:
    """Transcribes with any words, with those of the candidate sentences, and as a choice of them.

    Word error rates count errors over words, so a long sentence weighs more.
    """

    packages = ("pocketsphinx",)

    def __init__(self, config: RecognitionJudgeConfig, case: Case) -> None:
        require("recognition", "pocketsphinx")
        from vall_e_judges.pocketsphinx_recognizer import (
            Chooser,
            Dictionary,
            Recognizer,
            model_files,
        )

        self.figures = {
            "open_wer": Figure("word error rate, any words", better="lower"),
            "closed_wer": Figure("word error rate, words of the candidates only", better="lower"),
            "forced_choice": Figure(
                f"how often the sentence is chosen among {config.among}", better="higher"
            ),
        }
        self._dictionary = Dictionary()
        sentences = {plain(text) for text in case.candidates}
        self.candidates = {s for s in sentences if s and not self._dictionary.unknown(s)}
        self.remarks = _remarks(len(self.candidates), config.among)
        self._open = Recognizer.open()
        if self.candidates:
            self._closed = Recognizer.closed(self.candidates)
            self._chooser = Chooser(self.candidates, among=config.among, seed=case.seed)
        hashes = "".join(sha256_of(path) for path in model_files())
        self.weights = {"pocketsphinx en-us": hashlib.sha256(hashes.encode()).hexdigest()}

    def __call__(self, evidence: Evidence) -> Verdict:
        text = plain(evidence.text)
        samples = samples_of(evidence)
        if not text:
            return Verdict({name: Score(None, reason=NO_TEXT) for name in self.figures})
        words = text.split()
        anything = self._open.transcribe(samples)
        scores = {"open_wer": Score(word_errors(words, anything.split()), len(words))}
        notes = {"recognized": anything}
        reason = self._not_a_candidate(text)
        if reason:
            scores |= {name: Score(None, reason=reason) for name in ("closed_wer", "forced_choice")}
            return Verdict(scores, notes)
        closed = self._closed.transcribe(samples)
        scores["closed_wer"] = Score(word_errors(words, closed.split()), len(words))
        scores["forced_choice"] = Score(float(self._chooser.choose(samples, text) == text))
        return Verdict(scores, {**notes, "recognized, candidates only": closed})

    def _not_a_candidate(self, text: str) -> str:
        unknown = self._dictionary.unknown(text)
        if unknown:
            return f"the recognizer does not know the word {unknown[0]!r}"
        if self.candidates <= {text}:
            return "there is no other sentence to choose from"
        return "" if text in self.candidates else "the text is not among the candidates"


def _remarks(candidates: int, among: int) -> tuple[str, ...]:
    if candidates >= among or not candidates:  # without candidates there is nothing to choose
        return ()
    return (
        f"closed_wer and forced_choice had only {candidates} candidate sentences, not {among}, "
        "which "
        "makes them easier: give more with --candidates",
    )
