"""Synthesize many sentences, and report those with a wrong length, without listening.

    python examples/embedded/reliability.py          # all 200: about 20 minutes
    python examples/embedded/reliability.py --every 5 --log spoken.json --json report.json

A sentence that ran to its limit, is empty, or lasts less than 0.6 or more than 1.6 times the
expected duration has failed; then the exit code is 1. The expected duration follows from the
voice's own pace: the median of seconds per phoneme symbol, over all sentences of five words or
more, plus half a second of silence that even the shortest has.

Each sentence is reported with its fault by the pace so far; the final report uses the final pace.
With `--log` it may be stopped at any time: the same command continues. With other weights,
options, voices or seeds sentences are synthesized again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

import vall_e
from vall_e.atomic_write import write_atomically
from vall_e.errors import DataError
from vall_e.synthesis.result import Result

SENTENCES = Path(__file__).parent / "reliability.txt"
SHORTEST, LONGEST = 0.6, 1.6
"""Share of the expected duration."""
SILENCE_SECONDS = 0.5
"""Silence around a sentence, which matters for sentences of one word."""
FEW_WORDS = 5


@frozen
class Spoken:
    """A sentence, and its resulting length."""

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
        """Its fault if a symbol should last `pace` seconds; empty: none."""
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
    """Texts by fault."""

    @property
    def failed(self) -> int:
        return sum(map(len, self.failures.values()))


def judge(spoken: Sequence[Spoken]) -> Report:
    """By the pace of the voice itself."""
    pace = pace_of(spoken)
    failures: dict[str, list[str]] = {}
    for sentence in spoken:
        if fault := sentence.fault(pace):
            failures.setdefault(fault, []).append(sentence.text)
    return Report(len(spoken), pace, failures)


def pace_of(spoken: Sequence[Spoken]) -> float:
    """Seconds per symbol: the median, of longer sentences if there are any."""
    paces = [s.seconds / s.symbols for s in spoken if s.ended and len(s.text.split()) >= FEW_WORDS]
    return statistics.median(paces or [s.seconds / s.symbols for s in spoken])


@frozen
class Log:
    """The sentences so far, in a file that is complete at any time; or nowhere."""

    path: Path | None
    model: str
    """Hash of everything that a sentence depends on besides its text and seed."""

    def find(self, text: str, seed: int) -> Spoken | None:
        """The result of an earlier run."""
        found = self._read().get(self._key(text, seed))
        return Spoken(**found) if found else None

    def add(self, spoken: Spoken, seed: int) -> None:
        if self.path:
            everything = {**self._read(), self._key(spoken.text, seed): asdict(spoken)}
            text = json.dumps(everything, indent=0, ensure_ascii=False)
            write_atomically(self.path, text.encode(), error=DataError)

    def _key(self, text: str, seed: int) -> str:
        return f"{self.model} {seed} {text}"

    def _read(self) -> dict[str, dict[str, Any]]:
        if self.path is None or not self.path.is_file():
            return {}
        found: dict[str, dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
        return found


def speak(
    synthesizer: vall_e.Synthesizer,
    texts: Sequence[str],
    *,
    voice: str | None,
    seed: int,
    log: Log,
    on_sentence: Callable[[Sequence[Spoken]], None] = lambda _: None,
) -> list[Spoken]:
    """Each text with its own seed, unless the log has it. `on_sentence` gets all."""
    spoken: list[Spoken] = []
    for number, text in enumerate(texts):
        own = seed + number
        one = log.find(text, own)
        if one is None:
            one = Spoken.of(text, synthesizer.synthesize(text, voice=voice, seed=own))
            log.add(one, own)
        spoken.append(one)
        on_sentence(spoken)
    return spoken


def digest(synthesizer: vall_e.Synthesizer, voice: str | None) -> str:
    """Of the weights, the options and the voice."""
    facts = json.dumps([synthesizer.identity, voice], sort_keys=True, default=str)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sentences", type=Path, nargs="?", default=SENTENCES)
    parser.add_argument("-m", "--model", help="default: the built-in model")
    parser.add_argument("--voice", help="default: the model's default voice")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, help="number of sentences to use")
    parser.add_argument("--every", type=int, default=1, help="use one of this many sentences")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    parser.add_argument("--log", type=Path, help="file to keep results in, and to continue from")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    given = parser.parse_args(arguments)
    lines = given.sentences.read_text(encoding="utf-8").splitlines()
    synthesizer = vall_e.load(given.model, overrides=given.overrides)
    report = judge(
        speak(
            synthesizer,
            lines[:: given.every][: given.first],
            voice=given.voice,
            seed=given.seed,
            log=Log(given.log, digest(synthesizer, given.voice)),
            on_sentence=_tell,
        )
    )
    if given.json:
        given.json.write_text(json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n")
    print(f"{report.failed} of {report.sentences} sentences failed")
    for fault, failed in report.failures.items():
        print(f"{fault}: {len(failed)}")
        print(*(f"  {text}" for text in failed), sep="\n")
    return 1 if report.failed else 0


def _tell(spoken: Sequence[Spoken]) -> None:
    """It takes minutes: show the progress, and faults by the pace so far."""
    last = spoken[-1]
    verdict = last.fault(pace_of(spoken)) or "ok"
    print(f"{last.seconds:5.1f} s  {verdict:16}  {last.text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
