"""`vall-e synth --batch`: a file of jobs, one JSON object a line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from vall_e.atomic_write import make_folder
from vall_e.audio.encoding import format_of
from vall_e.cli.app import App
from vall_e.cli.hints import in_options
from vall_e.cli.synth.progress import ProgressDisplay
from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import AudioError, DataError, VallEError
from vall_e.synthesis.result import write_record

if TYPE_CHECKING:
    from vall_e.synthesis.request import Request
    from vall_e.synthesis.result import Result
    from vall_e.synthesis.synthesizer import Synthesizer

TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "output": str,
    "voice": str,
    "seed": int,
    "language": str,
    "max_seconds": (int, float),
    "speed": (int, float),
    "input": str,
    "edit": list,
    "draft": str,
}
"""The keys of a job, and their types."""


@frozen
class BatchLine:
    """One line of the file."""

    line: int
    output: str
    said: Mapping[str, Any]
    """The other keys, as in `Request`."""


def read_jobs(path: Path, folder: Path, *, allow_anywhere: bool = False) -> list[BatchLine]:
    """The jobs of a file whose outputs go to `folder`, or below it unless `allow_anywhere`.

    Raises `DataError` with all invalid lines, before anything is synthesized.
    """
    jobs: list[BatchLine] = []
    mistakes: list[str] = []
    # Not `splitlines`: a text may contain U+2028, which JSON does not escape.
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            job = _job(parse_json(line), number)
        except ValueError as exc:
            mistakes.append(f"line {number}: {exc}")
        else:
            jobs.append(job)
    mistakes += _clashes(jobs, folder)
    if not allow_anywhere:
        mistakes += _outside(jobs, folder)
    if mistakes or not jobs:
        raise DataError(
            "\n  ".join([f"{path}:", *(mistakes or ["the file contains no jobs"])]),
            hint='write one job on each line, like {"text": "Hello.", "output": "hello.wav"}',
        )
    return jobs


def run_jobs(
    app: App,
    synthesizer: Synthesizer,
    jobs: Sequence[BatchLine],
    usual: Request,
    folder: Path,
    *,
    as_json: bool,
    provenance: bool,
) -> None:
    """Synthesize `usual` as changed by each job, to one file for each job.

    Jobs are written group by group, so that little is lost if the user stops. Jobs that fail are
    reported and left out; the exit code is then that of the first failure.
    """
    size = synthesizer.config.synthesis.batch_size
    failures: list[VallEError] = []
    with ProgressDisplay(app.console) as steps:
        for first in range(0, len(jobs), size):
            steps.say(f"job {first + 1} of {len(jobs)}")
            for job, made in _spoken(synthesizer, jobs[first : first + size], usual, folder):
                outcome = _saved(made, folder / job.output, provenance)
                if isinstance(outcome, VallEError):
                    failures.append(outcome)
                _report(job, outcome, folder, as_json)
    if failures:
        raise click.exceptions.Exit(failures[0].exit_code)


def _spoken(
    synthesizer: Synthesizer, group: Sequence[BatchLine], usual: Request, folder: Path
) -> Iterator[tuple[BatchLine, Result | VallEError]]:
    """The result of each job; one that fails does not affect the others."""
    requests = [_request(job, usual, folder) for job in group]
    able = [request for request in requests if not isinstance(request, VallEError)]
    results = iter(synthesizer.synthesize_batch(able) if able else ())
    for job, request in zip(group, requests, strict=True):
        yield job, request if isinstance(request, VallEError) else next(results)


def _request(job: BatchLine, usual: Request, folder: Path) -> Request | VallEError:
    """The request of a job, or why it is invalid, for example an unknown output format."""
    try:
        format_of(folder / job.output)
        return evolve(usual, **job.said)
    except VallEError as exc:
        return exc


def _saved(made: Result | VallEError, path: Path, provenance: bool) -> Result | VallEError:
    """Write the audio; a file that cannot be written only fails its own job."""
    if isinstance(made, VallEError):
        return made
    try:
        make_folder(path.parent, error=AudioError)
        made.save(path)
        if provenance:
            write_record(made, path)
    except VallEError as exc:
        return exc
    return made


def _text(path: Path) -> str:
    with damage_as(DataError, path, what="cannot be read", hint="save it as UTF-8"):
        return path.read_text(encoding="utf-8-sig")


def _clashes(jobs: Sequence[BatchLine], folder: Path) -> list[str]:
    """A mistake for each file that several jobs would write, however its path is spelled."""
    lines: dict[str, list[BatchLine]] = {}
    for job in jobs:
        lines.setdefault(os.path.normcase(_place(job, folder)), []).append(job)
    return [
        f"lines {', '.join(str(job.line) for job in same)}: {same[0].output} is the output of "
        "several lines"
        for same in lines.values()
        if len(same) > 1
    ]


def _outside(jobs: Sequence[BatchLine], folder: Path) -> list[str]:
    root = folder.resolve()
    return [
        f"line {job.line}: the output {job.output} is outside {folder}; --allow-anywhere permits it"
        for job in jobs
        if not _place(job, folder).is_relative_to(root)
    ]


def _place(job: BatchLine, folder: Path) -> Path:
    return (folder / job.output).resolve()


def _job(raw: object, number: int) -> BatchLine:
    if not isinstance(raw, dict):
        raise ValueError("expected a mapping in braces")
    unknown = sorted(raw.keys() - TYPES.keys())
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; available: {', '.join(TYPES)}")
    for key, value in raw.items():
        if not _fits(key, value):
            raise ValueError(f"{key}: {json.dumps(value)} is not a valid value")
    if not raw.keys() & {"text", "input"}:
        raise ValueError("missing: text")
    said = {key: value for key, value in raw.items() if key != "output"}
    said.update({key: Path(said[key]) for key in ("input", "draft") if key in said})
    if "edit" in said:
        said["edit"] = _span(said["edit"])
    return BatchLine(number, raw.get("output", f"{number:04d}.wav"), said)


def _fits(key: str, value: object) -> bool:
    """JSON as Python reads it has infinite numbers, and whole numbers of any size."""
    if isinstance(value, bool) or not isinstance(value, TYPES[key]):
        return False
    if isinstance(value, str):
        return "\0" not in value or key == "text"
    if key == "seed":
        return isinstance(value, int) and value >= 0
    return not isinstance(value, (int, float)) or 0 < value < math.inf


def _span(edit: list[object]) -> tuple[float, float]:
    numbers = [n for n in edit if isinstance(n, (int, float)) and not isinstance(n, bool)]
    if len(numbers) != len(edit) or len(edit) != 2 or not 0 <= numbers[0] <= numbers[1] < math.inf:
        raise ValueError(f"edit: {json.dumps(edit)} is not a valid range, but [1.2, 1.9] is")
    return numbers[0], numbers[1]


def _report(job: BatchLine, made: Result | VallEError, folder: Path, as_json: bool) -> None:
    if isinstance(made, VallEError):
        message, hint = in_options(made.message), in_options(made.hint or "")
        click.echo(f"line {job.line}: {message}; {hint}", err=True)
        report = {"line": job.line, "error": message, "hint": hint}
    else:
        for sentence in made.sentences:
            if sentence.warning:
                click.echo(f"line {job.line}: {sentence.warning}", err=True)
        report = {"line": job.line, "output": str(folder / job.output), **made.to_json()}
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    elif not isinstance(made, VallEError):
        click.echo(f"{folder / job.output}: {made.seconds:.2f} s, seed {made.seed}")
