"""`vall-e synth`: say a text in somebody's voice."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Container, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
from attrs import asdict, evolve, frozen

from vall_e.audio.encoding import format_of
from vall_e.cli.app import App
from vall_e.cli.batch import read_jobs, run_jobs
from vall_e.cli.home import home
from vall_e.cli.progress import Steps
from vall_e.cli.seconds import Seconds, Span
from vall_e.errors import AudioError
from vall_e.synthesis.provenance import note, write_record

if TYPE_CHECKING:
    from vall_e.synthesis.plan import Request, VoiceLike
    from vall_e.synthesis.result import Result
    from vall_e.synthesis.speak import Synthesizer
    from vall_e.synthesis.stream import Stream

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
PIPE = "-"
READER_GONE = 141
"""What a shell gives for a program that was ended by SIGPIPE."""


@click.command()
@click.argument("text", required=False)
@click.option(
    "--voice",
    "voices",
    metavar="FILE|NAME",
    multiple=True,
    help="A recording, a voice file, or a name of `vall-e voices list`; none: any voice. Given "
    "again: further recordings of the same speaker.",
)
@click.option(
    "--mix",
    "mixture",
    metavar="FILE|NAME[:WEIGHT]",
    multiple=True,
    help="In place of --voice, two or more times: a voice between these, 1 each unless told.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    help="Audio file, of the format that its suffix says; - writes wav to stdout; with --batch "
    "the folder of its files.  [default: out.wav, or the folder out]",
)
@click.option(
    "-c", "--config", type=existing_file, help="YAML file of options; without -m its trained model."
)
@click.option(
    "-m", "--model", metavar="FILE|NAME", help="Weights, a training folder, or an installed model."
)
@click.option("--nar", metavar="FILE|NAME", help="Other weights for the levels after the first.")
@click.option(
    "--lora",
    "loras",
    metavar="FILE[:STRENGTH]",
    multiple=True,
    help="A LoRA to speak with, 1 as strong as trained; several add up.",
)
@click.option("--task", metavar="NAME", help="One that the model knows.  [default: its first]")
@click.option(
    "--input",
    "recording",
    type=existing_file,
    metavar="FILE",
    help="The recording that --task works on: ns, sr, tse, cse, nse, vc, stt.",
)
@click.option(
    "--edit",
    type=Span(),
    metavar="FROM-TO",
    help="Seconds of --input that are said anew, as TEXT has them: cse, nse.",
)
@click.option(
    "--draft",
    type=existing_file,
    metavar="FILE",
    help="A recording of the same words to start from, where level 0 is filled in.",
)
@click.option("--transcript", metavar="TEXT", help="What the recording of --voice says: tts-c.")
@click.option("--language", metavar="CODE", help="One that the model speaks.")
@click.option("--seed", type=click.IntRange(min=0), help="Same seed, same audio. Else it is told.")
@click.option("--max-seconds", type=Seconds(), help="End each sentence here.")
@click.option("--stream", is_flag=True, help="Write audio while it is made (wav).")
@click.option(
    "--batch",
    type=existing_file,
    metavar="JSONL",
    help="Many texts: a line is {text, output, voice, seed, language, max_seconds, input, edit, "
    "draft}.",
)
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override an option.")
@click.option("--device", help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--json", "as_json", is_flag=True, help="Tell all about the result, on stdout.")
@click.option(
    "--provenance",
    is_flag=True,
    help="Write what made each file beside it: out.wav.json, say.",
)
@click.pass_obj
def synth(
    app: App,
    text: str | None,
    voices: tuple[str, ...],
    mixture: tuple[str, ...],
    output: str | None,
    config: Path | None,
    model: str | None,
    nar: str | None,
    loras: tuple[str, ...],
    task: str | None,
    recording: Path | None,
    edit: tuple[float, float] | None,
    draft: Path | None,
    transcript: str | None,
    language: str | None,
    seed: int | None,
    max_seconds: float | None,
    stream: bool,
    batch: Path | None,
    overrides: tuple[str, ...],
    device: str | None,
    as_json: bool,
    provenance: bool,
) -> None:
    """Say TEXT in somebody's voice. TEXT - reads stdin.

    With a task that works on recordings, TEXT is what --input says, where it helps to know; a task
    that makes no use of a text takes the recording in its place. Tasks that write text print it.

    Only speak in the voice of somebody who has agreed to it.
    """
    _check_usage(
        text,
        recording,
        output,
        stream=stream,
        batch=batch,
        as_json=as_json,
        provenance=provenance,
    )
    jobs = read_jobs(batch) if batch else []
    text = sys.stdin.read() if text == PIPE else text
    from vall_e.opening import open_synthesizer
    from vall_e.synthesis.plan import Request

    synthesizer = open_synthesizer(
        model,
        config,
        app.registry,
        overrides=overrides,
        nar=nar,
        environ=app.environ,
        home=home(app),
        loras=loras,
        device=device,
        task=task,
    )
    if text and recording is None and synthesizer.task.wants.text == "unused":
        recording = Path(existing_file.convert(text, None, None))
        text = None
    if synthesizer.task.target == "text":
        _require_unused(
            synthesizer,
            {
                "--voice": voices or None,
                "--mix": mixture or None,
                "--draft": draft,
                "--output": output,
                "--edit": edit,
                "--transcript": transcript,
                "--seed": seed,
                "--max-seconds": max_seconds,
                "--stream": stream or None,
                "--batch": batch,
                "--provenance": provenance or None,
            },
        )
        _write_text(synthesizer, recording, language, text=text or "", as_json=as_json)
        return
    usual = Request(
        text or "",
        voice=_voice(synthesizer, voices, mixture, transcript),
        seed=seed,
        language=language,
        max_seconds=max_seconds,
        input=recording,
        edit=edit,
        draft=draft,
    )
    if batch:
        folder = Path(output or "out")
        run_jobs(app, synthesizer, jobs, usual, folder, as_json=as_json, provenance=provenance)
    else:
        target = _Target(output or "out.wav", stream, as_json, provenance)
        _speak(app, synthesizer, usual, target)


@frozen
class _Target:
    """Where the audio goes, and what else is told."""

    output: str
    stream: bool
    as_json: bool
    provenance: bool


def _voice(
    synthesizer: Synthesizer,
    voices: tuple[str, ...],
    mixture: tuple[str, ...],
    transcript: str | None,
) -> VoiceLike | None:
    """The voice, with what its recording says if that is given."""
    if mixture and (voices or transcript):
        raise click.UsageError("--mix makes a voice of its own: leave out --voice, --transcript.")
    if len(mixture) == 1:
        raise click.UsageError("--mix lies between voices: give it again, or take --voice.")
    if mixture:
        known = {entry.name for entry in synthesizer.voices.entries()}
        return synthesizer.mix([_weighted(text, known) for text in mixture])
    if transcript is not None:
        if not voices or not synthesizer.task.wants.transcript:
            raise click.UsageError(
                "--transcript says what the recording of --voice says, for --task tts-c: give both."
            )
        return evolve(synthesizer.glue(voices), transcript=transcript)
    return synthesizer.glue(voices) if len(voices) > 1 else next(iter(voices), None)


def _weighted(text: str, known: Container[str]) -> tuple[str, float]:
    """What `VOICE` or `VOICE:WEIGHT` means; `known` are the names of voices."""
    head, colon, tail = text.rpartition(":")
    try:
        return (head, float(tail)) if colon and head else (text, 1.0)
    except ValueError as exc:
        if text not in known and (head in known or Path(head).is_file()):
            raise click.UsageError(
                f"--mix {text}: {tail or 'nothing'} is no weight: give a number, as {head}:0.5."
            ) from exc
        return text, 1.0  # a colon of the path


def _require_unused(synthesizer: Synthesizer, options: Mapping[str, object]) -> None:
    """Of a task that writes text: it prints it, and draws nothing by chance."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(
            f"the task {synthesizer.task.name} prints text: it makes no use of {', '.join(given)}."
        )


def _write_text(
    synthesizer: Synthesizer,
    recording: Path | None,
    language: str | None,
    *,
    text: str,
    as_json: bool,
) -> None:
    found = synthesizer.write(text, recording=recording, language=language)
    if not found.ended:
        click.echo("Warning: it was cut off, since the model did not end it", err=True)
    click.echo(json.dumps(asdict(found), ensure_ascii=False) if as_json else found.text)


def _check_usage(
    text: str | None,
    recording: Path | None,
    output: str | None,
    *,
    stream: bool,
    batch: Path | None,
    as_json: bool,
    provenance: bool,
) -> None:
    if (text is None and recording is None) == (batch is None):
        raise click.UsageError(
            "give one of TEXT (- reads stdin), --input FILE (for --task) and --batch FILE."
        )
    if batch and (stream or output == PIPE):
        raise click.UsageError("--batch writes files: leave out --stream and -o -.")
    if as_json and output == PIPE:
        raise click.UsageError("--json and -o - both write to stdout: name a file with -o.")
    if provenance and output == PIPE:
        raise click.UsageError("--provenance writes beside a file: name one with -o.")
    if stream and output not in (None, PIPE) and not str(output).lower().endswith(".wav"):
        raise click.UsageError(f"--stream writes wav: name {output} with the suffix .wav.")
    if output not in (None, PIPE) and not batch:
        _check_writable(Path(str(output)))


def _check_writable(path: Path) -> None:
    """Raise an error now, and not after all the work."""
    format_of(path)
    if not path.parent.is_dir():
        raise AudioError(f"there is no folder {path.parent}", hint=f"mkdir {path.parent}")


def _speak(app: App, synthesizer: Synthesizer, request: Request, target: _Target) -> None:
    try:
        with Steps(app.console) as steps:
            chunks = synthesizer.stream(request, on_progress=steps, keep_audio=not target.stream)
            make = _write_stream if target.stream else _drain
            interrupted = make(chunks, target.output)
        result = chunks.result()
        if not target.stream and len(result.audio):
            _save(result, target.output)
    except BrokenPipeError as exc:
        # Who reads has had enough; Python's own last flush must not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(READER_GONE) from exc
    for sentence in result.sentences:  # what the text lacks is in the log
        if sentence.warning:
            click.echo(f"Warning: {sentence.warning}", err=True)
    if interrupted and not result.samples:
        click.echo("Stopped before there was anything to keep.", err=True)
    else:
        if target.provenance:
            write_record(result, Path(target.output))
        _report(result, target.output, target.as_json, interrupted)
    if interrupted:
        raise click.Abort from interrupted


def _drain(stream: Stream, _output: str) -> KeyboardInterrupt | None:
    """Make all of it, or what there is until the user stops it."""
    try:
        stream.read()
        for _ in stream:
            pass
    except KeyboardInterrupt as exc:
        return exc
    return None


def _write_stream(stream: Stream, output: str) -> KeyboardInterrupt | None:
    """Write each chunk when it is there. The file grows, and is whole at any time."""
    from vall_e.audio.wav_stream import WavStream

    with _binary(output) as file, WavStream(file, stream.sample_rate, note()) as wav:
        try:
            for chunk in stream:
                wav.write(chunk.audio)
        except KeyboardInterrupt as exc:
            made = stream.result()
            if unwritten := made.samples - wav.samples:
                wav.write(made.audio[-unwritten:])
            return exc
    return None


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
