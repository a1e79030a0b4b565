"""`vall-e synth --batch`: a file of jobs, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from vall_e.atomic_write import make_folder
from vall_e.cli.app import App
from vall_e.cli.synth.progress import ProgressDisplay
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
    "input": str,
    "edit": list,
    "draft": str,
}
"""The keys of a job, and what they may be."""


@frozen
class BatchLine:
    """One line of the file."""

    line: int
    output: str
    said: Mapping[str, Any]
    """The other keys, as `Request` has them."""


def read_jobs(path: Path) -> list[BatchLine]:
    """Raise `DataError` with all lines that are no jobs."""
    jobs: list[BatchLine] = []
    mistakes: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            job = _job(json.loads(line), number)
        except ValueError as exc:
            mistakes.append(f"line {number}: {exc}")
        else:
            jobs.append(job)
    outputs = [job.output for job in jobs]
    mistakes += [f"{name} is the output of several lines" for name in _twice(outputs)]
    if mistakes or not jobs:
        raise DataError(
            "\n  ".join([f"{path}:", *(mistakes or ["there are no jobs in it"])]),
            hint='write one job a line, like {"text": "Hello.", "output": "hello.wav"}',
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
    """Say `usual` as each job changes it, to a file a job.

    They are written group by group, so that little is lost when the user stops it. Jobs that fail
    are told and left out; then the first failure's exit code is ours.
    """
    size = synthesizer.config.synthesis.batch_size
    failures: list[VallEError] = []
    with ProgressDisplay(app.console) as steps:
        for first in range(0, len(jobs), size):
            steps.say(f"job {first + 1} of {len(jobs)}")
            group = jobs[first : first + size]
            requests = [evolve(usual, **job.said) for job in group]
            for job, made in zip(group, synthesizer.synthesize_batch(requests), strict=True):
                if isinstance(made, VallEError):
                    failures.append(made)
                else:
                    _save(made, folder / job.output, provenance)
                _report(job, made, folder, as_json)
    if failures:
        raise click.exceptions.Exit(failures[0].exit_code)


def _save(made: Result, path: Path, provenance: bool) -> None:
    make_folder(path.parent, error=AudioError)
    made.save(path)
    if provenance:
        write_record(made, path)


def _job(raw: object, number: int) -> BatchLine:
    if not isinstance(raw, dict):
        raise ValueError("expected a mapping in braces")
    unknown = sorted(raw.keys() - TYPES.keys())
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; there are: {', '.join(TYPES)}")
    for key, value in raw.items():
        if isinstance(value, bool) or not isinstance(value, TYPES[key]):
            raise ValueError(f"{key}: this cannot be {json.dumps(value)}")
    if not raw.keys() & {"text", "input"}:
        raise ValueError("missing: text")
    said = {key: value for key, value in raw.items() if key != "output"}
    said.update({key: Path(said[key]) for key in ("input", "draft") if key in said})
    if "edit" in said:
        said["edit"] = _span(said["edit"])
    return BatchLine(number, raw.get("output", f"{number:04d}.wav"), said)


def _span(edit: list[object]) -> tuple[float, float]:
    numbers = [n for n in edit if isinstance(n, (int, float)) and not isinstance(n, bool)]
    if len(numbers) != len(edit) or len(edit) != 2 or not 0 <= numbers[0] <= numbers[1]:
        raise ValueError(f"edit: this cannot be {json.dumps(edit)}, but [1.2, 1.9] could")
    return numbers[0], numbers[1]


def _report(job: BatchLine, made: Result | VallEError, folder: Path, as_json: bool) -> None:
    if isinstance(made, VallEError):
        click.echo(f"line {job.line}: {made.message}; {made.hint}", err=True)
        told = {"line": job.line, "error": made.message, "hint": made.hint}
    else:
        for sentence in made.sentences:
            if sentence.warning:
                click.echo(f"line {job.line}: {sentence.warning}", err=True)
        told = {"line": job.line, "output": str(folder / job.output), **made.to_json()}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    elif not isinstance(made, VallEError):
        click.echo(f"{folder / job.output}: {made.seconds:.2f} s, seed {made.seed}")


def _twice(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
