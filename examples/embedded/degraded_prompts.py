"""Synthesize with imperfect reference recordings, and report the results.

    python examples/embedded/degraded_prompts.py -o prompts         # the built-in voices, hiss
    python examples/embedded/degraded_prompts.py ann.wav bob.wav --noise rain.ogg -o prompts

Each recording is cut, mixed with noise, clipped and so on (`degradations.py`), and a Harvard
sentence is spoken in that voice. The result is good if a recognizer picks it among 50 and its
duration is right (as in `reliability.py`), or if the prompt is refused with a message. OUTPUT
keeps prompts and speech; the table goes to stdout. Needs `pip install "vall-e[eval]"`.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from attrs import asdict, evolve, frozen
from degradations import spoilings, white_noise
from reliability import Spoken, pace_of

import vall_e
from vall_e.audio.clip import Clip
from vall_e.config.choices import JudgeChoice
from vall_e.config.component_option import choose
from vall_e.discovery import discover
from vall_e.errors import VallEError
from vall_e.interfaces.judge import Case, Evidence, Judge

SENTENCES = Path(__file__).parent / "harvard.txt"


@frozen(eq=False)
class Said:
    """The result for a text and a prompt."""

    spoken: Spoken
    audio: Clip
    warning: str = ""
    """For example that words are missing."""


Say = Callable[[str, Path, int], Said]


@frozen
class Trial:
    """A prompt, and its result."""

    prompt: str
    """How it was modified."""
    speaker: str
    refused: str = ""
    """The message; then nothing was synthesized."""
    exit_code: int = 0
    warned: str = ""
    spoken: Spoken | None = None
    recognized: bool = False


@frozen
class Row:
    """All trials with one kind of prompt."""

    prompt: str
    trials: int
    refused: int
    warned: int
    wrong_length: int
    recognized: int

    def __str__(self) -> str:
        spoken = self.trials - self.refused
        heard = f"{self.recognized} of {spoken}" if spoken else ""
        cells = (self.prompt, self.trials, self.refused, self.warned, self.wrong_length, heard)
        return "| " + " | ".join(map(str, cells)) + " |"

    @property
    def failed(self) -> int:
        """Trials with bad speech and no warning; with a warning it is acceptable."""
        return max(self.wrong_length, self.trials - self.refused - self.recognized) - self.warned


class Warnings(logging.Handler):
    """Collects the library's warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def take(self) -> str:
        messages, self.messages = self.messages, []
        return "; ".join(messages)


def rows(trials: Sequence[Trial]) -> list[Row]:
    """By kind of prompt, in their order."""
    pace = pace_of([trial.spoken for trial in trials if trial.spoken])
    kinds = dict.fromkeys(trial.prompt for trial in trials)
    return [_row(kind, [trial for trial in trials if trial.prompt == kind], pace) for kind in kinds]


def _row(kind: str, trials: Sequence[Trial], pace: float) -> Row:
    return Row(
        kind,
        len(trials),
        refused=sum(bool(trial.refused) for trial in trials),
        warned=sum(bool(trial.warned) for trial in trials),
        wrong_length=sum(bool(t.spoken and t.spoken.fault(pace)) for t in trials),
        recognized=sum(trial.recognized for trial in trials),
    )


def try_prompts(
    recordings: Sequence[Clip],
    noise: Clip,
    texts: Sequence[str],
    judge: Judge,
    say: Say,
    out: Path,
    *,
    only: Sequence[str] = (),
) -> Iterator[Trial]:
    """Every text with every modified recording, or those kinds `only`. Text i has the seed i."""
    warnings = Warnings()
    logging.getLogger("vall_e").addHandler(warnings)
    for kind, spoil in spoilings(noise):
        if only and kind not in only:
            continue
        for clip in recordings:
            trial = Trial(kind, Path(clip.name).stem)
            path = out / f"{kind} of {trial.speaker}.wav".replace(" ", "_").replace(",", "")
            spoil(clip).write(path)
            for seed, text in enumerate(texts):
                yield _tried(trial, path, text, seed, judge, say, warnings)


def _tried(
    trial: Trial, prompt: Path, text: str, seed: int, judge: Judge, say: Say, warnings: Warnings
) -> Trial:
    try:
        said = say(text, prompt, seed)
    except VallEError as exc:
        return evolve(trial, refused=exc.message, exit_code=exc.exit_code)
    warned = "; ".join(filter(None, [warnings.take(), said.warning]))
    said.audio.write(prompt.with_name(f"{prompt.stem}-said-{seed}.wav"))
    chosen = judge(Evidence(said.audio, text=text)).scores["forced_choice"].value
    return evolve(trial, warned=warned, spoken=said.spoken, recognized=bool(chosen))


def main(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(arguments)
    given.output.mkdir(parents=True, exist_ok=True)
    synthesizer = vall_e.load(given.model, overrides=given.overrides)
    usual = [entry.path for entry in synthesizer.voices.entries() if entry.origin == "built-in"]
    recordings = [Clip.read(path).mono() for path in given.recordings or usual]
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    judge = _recognition(lines)

    def say(text: str, prompt: Path, seed: int) -> Said:
        result = synthesizer.synthesize(text, voice=str(prompt), seed=seed)
        warning = "; ".join(filter(None, (sentence.warning for sentence in result.sentences)))
        audio = Clip(result.audio, result.sample_rate, name=text)
        return Said(Spoken.of(text, result), audio, warning)

    noise = Clip.read(given.noise).mono() if given.noise else white_noise(16_000, seed=0)
    trials = []
    tried = try_prompts(
        recordings, noise, lines[: given.texts], judge, say, given.output, only=given.only
    )
    for trial in tried:
        trials.append(trial)
        print(_told(trial), file=sys.stderr, flush=True)
    report = json.dumps([asdict(trial) for trial in trials], indent=1, ensure_ascii=False)
    (given.output / "trials.json").write_text(report + "\n", encoding="utf-8")
    table = rows(trials)
    print("| prompt | trials | refused | warned | wrong length | recognized |")
    print("|---|---|---|---|---|---|", *table, sep="\n")
    return 1 if any(row.failed > 0 for row in table) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recordings", type=Path, nargs="*", help="default: the built-in voices'")
    parser.add_argument("--noise", type=Path, help="recording to mix in; default: white noise")
    parser.add_argument("--texts", type=int, default=1, help="number of sentences per prompt")
    kinds = [kind for kind, _ in spoilings(white_noise(16_000, seed=0))]
    parser.add_argument(
        "--only", choices=kinds, action="append", default=[], help="may be repeated"
    )
    parser.add_argument("-m", "--model", help="default: the built-in model")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for all that")
    return parser


def _recognition(candidates: Sequence[str]) -> Judge:
    choice = choose("recognition", JudgeChoice, discover(), source="this script")
    judge: Judge = choice.build(case=Case(tuple(candidates)))
    return judge


def _told(trial: Trial) -> str:
    said = f"{trial.prompt}, {trial.speaker}: "
    if trial.spoken is None:
        return f"{said}refused ({trial.exit_code}): {trial.refused}"
    heard = "recognized" if trial.recognized else "not recognized"
    warned = f", warned: {trial.warned}" if trial.warned else ""
    return f"{said}{trial.spoken.seconds:.1f} s, {heard}{warned}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
