"""`vall-e synth`: speak a text in a given voice."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Container, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
from attrs import asdict, evolve

from vall_e.atomic_write import os_errors_as
from vall_e.cli.app import App
from vall_e.cli.option_groups import Explained, grouped, names_of
from vall_e.cli.synth.batch import read_jobs, run_jobs
from vall_e.cli.synth.options import (
    PIPE,
    Matter,
    OutputOptions,
    VoiceOptions,
    Weights,
    existing_file,
)
from vall_e.cli.synth.progress import ProgressDisplay
from vall_e.cli.voices_home import home
from vall_e.damaged_files import damage_as
from vall_e.errors import AudioError, TextError
from vall_e.synthesis.result import note, write_record

if TYPE_CHECKING:
    from vall_e.audio.wav_stream import WavStream
    from vall_e.synthesis.request import Request, VoiceLike
    from vall_e.synthesis.result import Result
    from vall_e.synthesis.session import Session
    from vall_e.synthesis.synthesizer import Synthesizer

READER_GONE = 141
"""Exit code of a shell for a program that was ended by SIGPIPE."""

AGAIN = "Hint: try another --seed, or allow retries: --set synthesis.attempts=3"

SECTIONS = {
    "Voice": names_of(VoiceOptions),
    "Output": names_of(OutputOptions),
    "Text and seed": ("language", "seed", "max_seconds", "speed", "batch"),
    "Model": ("model", "loras", "overrides", "config", "device", "nar"),
    "Tasks other than speech synthesis": ("task", "recording", "edit", "draft"),
}
EXAMPLES = (
    'vall-e synth "The birch canoe slid on the smooth planks." -o canoe.wav',
    'vall-e synth "My own voice." --voice me.wav --seed 7 -o mine.wav',
    "vall-e synth - --stream -o story.wav < story.txt",
    "vall-e synth --batch jobs.jsonl -o spoken",
    'vall-e synth "Hello." -m runs/mine -o hello.flac',
)


@click.command(cls=Explained, sections=SECTIONS, examples=EXAMPLES)
@grouped(speaker=VoiceOptions, target=OutputOptions, weights=Weights, matter=Matter)
@click.pass_obj
def synth(
    app: App, speaker: VoiceOptions, target: OutputOptions, weights: Weights, matter: Matter
) -> None:
    """Speak TEXT in a given voice. A single - as TEXT reads it from stdin.

    Only use the voice of a person who has agreed to it.
    """
    matter.require()
    speaker.require()
    target.require(batch=matter.batch is not None)
    jobs = (
        read_jobs(matter.batch, target.folder, allow_anywhere=target.allow_anywhere)
        if matter.batch
        else []
    )
    matter = _read(matter)
    synthesizer = _opened(app, weights)
    if matter.text and matter.recording is None and synthesizer.task.wants.text == "unused":
        recording = Path(existing_file.convert(matter.text, None, None))
        matter = evolve(matter, text=None, recording=recording)
    if synthesizer.task.target == "text":
        _require_unused(synthesizer, matter, speaker, target)
        _write_text(synthesizer, matter, as_json=target.as_json)
        return
    usual = _request(synthesizer, matter, speaker)
    if matter.batch:
        run_jobs(
            app,
            synthesizer,
            jobs,
            usual,
            target.folder,
            as_json=target.as_json,
            provenance=target.provenance,
        )
    else:
        _speak(app, synthesizer, usual, target)


def _read(matter: Matter) -> Matter:
    """The input, with its text read from stdin if it is -."""
    if matter.text == PIPE:
        return evolve(matter, text=_stdin())
    if matter.text and matter.text.endswith(".txt") and os.path.isfile(matter.text):
        raise click.UsageError(
            f"{matter.text} is a file name, which would be spoken; "
            f"to speak the content of the file: vall-e synth - < {matter.text}"
        )
    return matter


def _stdin() -> str:
    """The text on stdin. Raises `TextError` for bytes that are not UTF-8."""
    hint = "pipe text in UTF-8: iconv converts other encodings"
    with damage_as(TextError, "the text on stdin", what="is not UTF-8", hint=hint):
        return sys.stdin.buffer.read().decode("utf-8-sig").replace("\r\n", "\n")


def _opened(app: App, weights: Weights) -> Synthesizer:
    from vall_e.synthesis.load import LoadOptions, open_synthesizer

    options = LoadOptions(
        model=weights.model,
        config=weights.config,
        overrides=weights.overrides,
        nar=weights.nar,
        environ=app.environ,
        home=home(app),
        loras=weights.loras,
        device=weights.device,
        task=weights.task,
    )
    return open_synthesizer(options, app.registry)


def _request(synthesizer: Synthesizer, matter: Matter, speaker: VoiceOptions) -> Request:
    from vall_e.synthesis.request import Request

    return Request(
        matter.text or "",
        voice=_voice(synthesizer, speaker),
        seed=matter.seed,
        language=matter.language,
        max_seconds=matter.max_seconds,
        speed=matter.speed,
        input=matter.recording,
        edit=matter.edit,
        draft=matter.draft,
    )


def _voice(synthesizer: Synthesizer, speaker: VoiceOptions) -> VoiceLike | None:
    """The voice, with the transcript of its recording if given."""
    voices = speaker.voices
    if speaker.mixture:
        known = {entry.name for entry in synthesizer.voices.entries()}
        return synthesizer.mix_voices([_weighted(text, known) for text in speaker.mixture])
    if speaker.transcript is not None:
        if not voices or not synthesizer.task.wants.transcript:
            raise click.UsageError(
                "--transcript is the text of the --voice recording, for --task tts-c: give all "
                "three."
            )
        return evolve(synthesizer.join_voices(voices), transcript=speaker.transcript)
    return synthesizer.join_voices(voices) if len(voices) > 1 else next(iter(voices), None)


def _weighted(text: str, known: Container[str]) -> tuple[str, float]:
    """Parse `VOICE` or `VOICE:WEIGHT`; `known` are the names of voices."""
    head, colon, tail = text.rpartition(":")
    try:
        weight = float(tail) if colon and head else 1.0
        if not math.isfinite(weight):
            raise ValueError(f"{weight} is not finite")
        return (head, weight) if colon and head else (text, weight)
    except ValueError as exc:
        if text not in known and (head in known or Path(head).is_file()):
            raise click.UsageError(
                f"--mix {text}: {tail or 'nothing'} is not a weight: give a number, as in "
                f"{head}:0.5."
            ) from exc
        return text, 1.0  # the colon is part of the path


def _require_unused(
    synthesizer: Synthesizer, matter: Matter, speaker: VoiceOptions, target: OutputOptions
) -> None:
    """For a task that outputs text: it is printed, and not sampled."""
    options = {
        "--voice": speaker.voices or None,
        "--mix": speaker.mixture or None,
        "--draft": matter.draft,
        "--output": target.output,
        "--edit": matter.edit,
        "--transcript": speaker.transcript,
        "--seed": matter.seed,
        "--max-seconds": matter.max_seconds,
        "--speed": None if matter.speed == 1.0 else matter.speed,
        "--stream": target.stream or None,
        "--batch": matter.batch,
        "--provenance": target.provenance or None,
    }
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(
            f"the task {synthesizer.task.name} prints text: it does not use {', '.join(given)}."
        )


def _write_text(synthesizer: Synthesizer, matter: Matter, *, as_json: bool) -> None:
    found = synthesizer.generate_text(
        matter.text or "", recording=matter.recording, language=matter.language
    )
    if not found.ended:
        click.echo("Warning: it was cut off, since the model did not end it", err=True)
    click.echo(json.dumps(asdict(found), ensure_ascii=False) if as_json else found.text)


def _speak(app: App, synthesizer: Synthesizer, request: Request, target: OutputOptions) -> None:
    try:
        with ProgressDisplay(app.console) as steps:
            chunks = synthesizer.stream(request, on_progress=steps, keep_audio=not target.stream)
            make = _write_stream if target.stream else _drain
            interrupted = make(chunks, target.file)
        result = chunks.result()
        if not target.stream and len(result.audio):
            _save(result, target.file)
    except BrokenPipeError as exc:
        # The reader has stopped reading; Python's own last flush must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(READER_GONE) from exc
    for sentence in result.sentences:  # unknown symbols are in the log
        if sentence.warning:
            click.echo(f"Warning: {sentence.warning}", err=True)
    if any(s.warning for s in result.sentences) and _may_go_better(synthesizer):
        click.echo(AGAIN, err=True)
    if interrupted and not result.samples:
        click.echo("Stopped before any audio was made.", err=True)
    else:
        if target.provenance:
            write_record(result, Path(target.file))
        _report(result, target.file, target.as_json, interrupted)
    if interrupted:
        raise click.Abort from interrupted


def _may_go_better(synthesizer: Synthesizer) -> bool:
    """Whether the hint in `AGAIN` can help and is not in use already."""
    return not synthesizer.deterministic and synthesizer.config.synthesis.attempts == 1


def _drain(stream: Session, _output: str) -> KeyboardInterrupt | None:
    """Synthesize everything, or as much as possible until the user stops it."""
    try:
        stream.read()
        for _ in stream:
            pass
    except KeyboardInterrupt as exc:
        stream.stop()
        return exc
    return None


def _write_stream(stream: Session, output: str) -> KeyboardInterrupt | None:
    """Write each chunk as soon as it is ready. The growing file is valid at any time."""
    as_ours = partial(os_errors_as, AudioError, Path(output))
    with _wav(output, stream) as wav:
        try:
            for chunk in stream:
                with as_ours():
                    wav.write(chunk.audio)
        except KeyboardInterrupt as exc:
            made = stream.result()
            if unwritten := made.samples - wav.samples:
                with as_ours():
                    wav.write(made.audio[-unwritten:])
            if rest := stream.stop():
                with as_ours():
                    wav.write(rest.audio)
            return exc
    return None


@contextmanager
def _wav(output: str, stream: Session) -> Iterator[WavStream]:
    """Raises an `AudioError` if it cannot be opened or closed."""
    from vall_e.audio.wav_stream import WavStream

    failed = None
    with (
        os_errors_as(AudioError, Path(output)),
        _binary(output) as file,
        WavStream(file, stream.sample_rate, note(stream.provenance)) as wav,
    ):
        try:
            yield wav
        except OSError as exc:  # from the synthesis: not an error of the file
            failed = exc
    if failed:
        raise failed


def _binary(output: str) -> AbstractContextManager[BinaryIO]:
    if output == PIPE:
        return nullcontext(sys.stdout.buffer)
    return Path(output).open("wb")


def _save(result: Result, output: str) -> None:
    if output == PIPE:
        result.save(sys.stdout.buffer, format="wav")
    else:
        result.save(Path(output))


def _report(
    result: Result, output: str, as_json: bool, interrupted: KeyboardInterrupt | None
) -> None:
    if as_json:
        click.echo(json.dumps({"output": output, **result.to_json()}, ensure_ascii=False))
        return
    where = "stdout" if output == PIPE else output
    kept = ", stopped early" if interrupted else ""
    click.echo(
        f"{where}: {result.seconds:.2f} s, seed {result.seed}, RTF {result.rtf:.2f}{kept}",
        err=output == PIPE,
    )
