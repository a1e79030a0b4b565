"""Speak many sentences, and tell of those that went wrong by their length. Nobody listens.

    python examples/embedded/reliability.py          # all 200: about 20 minutes
    python examples/embedded/reliability.py --first 10 --json report.json

A sentence that ran to its limit, is empty, or lasts less than 0.6 or more than 1.6 times as long as
is expected, has failed; then the exit code is 1. What is expected is the voice's own pace: the
median of seconds for each phoneme symbol, over all sentences of five words and more, beside half a
second of silence that even the shortest has.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import asdict, frozen

import vall_e
from vall_e.synthesis.result import Result

SENTENCES = Path(__file__).parent / "reliability.txt"
SHORTEST, LONGEST = 0.6, 1.6
"""Of the expected duration."""
SILENCE_SECONDS = 0.5
"""Around a sentence: one word may last so much longer than its symbols say."""
FEW_WORDS = 5


@frozen
class Spoken:
    """A sentence, and how long it became."""

    text: str
    symbols: int
    seconds: float
    ended: bool

    @classmethod
    def of(cls, text: str, result: Result) -> Spoken:
        return cls(
            text,
            sum(len(sentence.phonemes) for sentence in result.sentences),
            sum(sentence.codes.seconds for sentence in result.sentences),
            all(sentence.ended for sentence in result.sentences),
        )

    def fault(self, pace: float) -> str:
        """What is wrong with it where a symbol should last `pace` seconds; empty: nothing."""
        expected = self.symbols * pace
        if not self.ended:
            return "ran to the limit"
        if self.seconds <= 0:
            return "empty"
        if self.seconds < SHORTEST * expected:
            return "too short"
        return "too long" if self.seconds > LONGEST * expected + SILENCE_SECONDS else ""


@frozen
class Report:
    """Of all sentences."""

    sentences: int
    seconds_per_symbol: float
    failures: dict[str, list[str]]
    """Texts by what is wrong with them."""

    @property
    def failed(self) -> int:
        return sum(map(len, self.failures.values()))


def judge(spoken: Sequence[Spoken]) -> Report:
    """By the pace of the voice itself."""
    paces = [s.seconds / s.symbols for s in spoken if s.ended and len(s.text.split()) >= FEW_WORDS]
    pace = statistics.median(paces or [s.seconds / s.symbols for s in spoken])
    failures: dict[str, list[str]] = {}
    for sentence in spoken:
        if fault := sentence.fault(pace):
            failures.setdefault(fault, []).append(sentence.text)
    return Report(len(spoken), pace, failures)


def speak(
    synthesizer: vall_e.Synthesizer,
    texts: Sequence[str],
    *,
    voice: str | None,
    seed: int,
    on_sentence: Callable[[Spoken], None] = lambda _: None,
) -> list[Spoken]:
    """Each text with a seed of its own."""
    spoken = []
    for number, text in enumerate(texts):
        result = synthesizer.synthesize(text, voice=voice, seed=seed + number)
        spoken.append(Spoken.of(text, result))
        on_sentence(spoken[-1])
    return spoken


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sentences", type=Path, nargs="?", default=SENTENCES)
    parser.add_argument("-m", "--model", help="else the one that is built in")
    parser.add_argument("--voice", help="else the model's usual one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, help="so many sentences only")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    given = parser.parse_args(arguments)
    texts = given.sentences.read_text(encoding="utf-8").splitlines()[: given.first]
    synthesizer = vall_e.load(given.model)
    spoken = speak(synthesizer, texts, voice=given.voice, seed=given.seed, on_sentence=_tell)
    report = judge(spoken)
    if given.json:
        given.json.write_text(json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n")
    print(f"{report.failed} of {report.sentences} sentences failed")
    for fault, failed in report.failures.items():
        print(f"{fault}: {len(failed)}")
        print(*(f"  {text}" for text in failed), sep="\n")
    return 1 if report.failed else 0


def _tell(spoken: Spoken) -> None:
    """Minutes go by: show that it goes on."""
    print(f"{spoken.seconds:5.1f} s  {spoken.text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
