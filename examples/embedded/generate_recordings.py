"""Fill a folder with the recordings of a plan, so that a stopped run can be continued."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

import soundfile as sf
from attrs import evolve, frozen
from postprocess import SAMPLE_RATE, Samples, TooShortError
from speakers import Speaker, to_json
from tts_engines import EngineError

from vall_e.errors import DataError

COLUMNS = ("speaker", "engine", "gender", "lang", "seconds", "path", "text")
Format = Literal["wav", "flac", "opus"]
SUBTYPES: dict[str, tuple[str, str]] = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "opus": ("OGG", "OPUS"),
}

Speak = Callable[[Speaker, str, str], Samples]
A = TypeVar("A")
B = TypeVar("B")


@frozen
class Job:
    """A sentence and its speaker."""

    number: int
    speaker: Speaker
    text: str

    def path(self, suffix: str) -> str:
        """Relative to the corpus."""
        return f"{self.speaker.id}/{self.speaker.id}_{self.number:05d}.{suffix}"


@frozen
class Made:
    """The result of a job: its recording's length, or why there is none."""

    job: Job
    path: str
    seconds: float = 0.0
    failure: str = ""

    def row(self) -> str:
        speaker = self.job.speaker
        who = (speaker.id, speaker.engine, speaker.gender, speaker.lang)
        return "\t".join((*who, f"{self.seconds:.3f}", self.path, self.job.text)) + "\n"


@frozen
class Plan:
    """The content of the corpus. The same plan gives the same corpus, interrupted or not."""

    speakers: list[Speaker]
    sentences: list[str]
    format: Format
    count: int
    """Maximum number of sentences."""
    max_seconds: float
    """Maximum length of all recordings together; infinite: no limit."""

    def jobs(self) -> Iterator[Job]:
        """Speakers alternate, and every sentence is used once before any is used again."""
        for number in range(self.count):
            speaker = self.speakers[number % len(self.speakers)]
            yield Job(number, speaker, self.sentences[number % len(self.sentences)])

    def to_json(self) -> dict[str, object]:
        """What must not change between a run and its continuation."""
        text = "\n".join(self.sentences).encode()
        return {
            "format": self.format,
            "sentences": len(self.sentences),
            "sha256": hashlib.sha256(text).hexdigest(),
            "speakers": to_json(self.speakers),
        }


class Corpus:
    """The folder: its table has a row for every complete recording."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.table = folder / "corpus.tsv"
        folder.mkdir(parents=True, exist_ok=True)
        self._check_plan(plan)
        if not self.table.exists():
            self.table.write_text("\t".join(COLUMNS) + "\n", encoding="utf-8")
        self._drop_half_a_line()
        lines = self.table.read_text(encoding="utf-8").split("\n")[1:-1]
        rows = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]
        self.done = {row["path"] for row in rows}
        self.seconds = sum((float(row["seconds"]) for row in rows), start=0.0)

    def _check_plan(self, plan: Plan) -> None:
        path = self.folder / "plan.json"
        if not path.exists():
            if self.table.exists():
                raise DataError(f"{self.folder} has no plan.json", hint="choose another --output")
            part = path.with_name("plan.json.part")
            part.write_text(json.dumps(plan.to_json(), indent=1), encoding="utf-8")
            os.replace(part, path)
        if json.loads(path.read_text(encoding="utf-8")) != plan.to_json():
            raise DataError(
                f"{self.folder} was begun with different texts, speakers or options",
                hint="choose another --output, or use the command that began it",
            )

    def _drop_half_a_line(self) -> None:
        """A run that was killed may have left one."""
        content = self.table.read_bytes()
        if not content.endswith(b"\n"):
            with self.table.open("r+b") as file:
                file.truncate(content.rfind(b"\n") + 1)


def fill(
    corpus: Corpus,
    plan: Plan,
    speak: Speak,
    *,
    workers: int = 1,
    on_made: Callable[[Made], None] = lambda _: None,
) -> None:
    """Make the recordings that are missing, in the order of the plan."""
    suffix = plan.format
    todo = (job for job in plan.jobs() if job.path(suffix) not in corpus.done)

    def work(job: Job) -> Made:
        made = Made(job, job.path(suffix))
        try:
            samples = speak(job.speaker, job.text, f"{job.number:07d}")
        except (EngineError, TooShortError) as exc:
            return evolve(made, failure=str(exc))
        _write(samples, corpus.folder / made.path, plan.format)
        return evolve(made, seconds=len(samples) / SAMPLE_RATE)

    with corpus.table.open("a", encoding="utf-8") as table:
        for made in _in_order(work, todo, workers):
            if not made.failure:
                table.write(made.row())
                table.flush()
                corpus.seconds += made.seconds
            on_made(made)
            if corpus.seconds >= plan.max_seconds:
                break


def _write(samples: Samples, path: Path, suffix: Format) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    container, subtype = SUBTYPES[suffix]
    part = path.with_name(path.name + ".part")
    sf.write(part, samples, SAMPLE_RATE, format=container, subtype=subtype)
    os.replace(part, path)


def _in_order(work: Callable[[A], B], jobs: Iterable[A], workers: int) -> Iterator[B]:
    """Results in the order of the jobs, only a few of them in advance."""
    waiting: deque[Future[B]] = deque()
    # Threads are enough: the engines are processes of their own.
    with ThreadPoolExecutor(workers) as pool:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
