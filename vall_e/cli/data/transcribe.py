"""`vall-e data transcribe`: transcribe recordings with a speech recognizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.data.stride import share, shared
from vall_e.cli.terminal.progress_bar import position_bar
from vall_e.errors import DataError, VallEError

if TYPE_CHECKING:
    from rich.console import Console

    from vall_e.interfaces.transcriber import Transcriber

SHOWN = 10


@click.command()
@click.argument(
    "source", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file; an existing one is extended. Default: FOLDER/heard.json.",
)  # fmt: skip
@click.option(
    "--with", "name", default="pocketsphinx", show_default=True, metavar="NAME",
    help='A transcriber, or "{name: ..., option: ...}"; see `vall-e plugins list`.',
)  # fmt: skip
@click.option(
    "--language", help="Language of all recordings. Default: detected by the transcriber."
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1.")
@share
@click.pass_obj
def transcribe(
    app: App,
    source: Path,
    output: Path | None,
    name: str,
    language: str | None,
    device: str,
    stride: int,
    offset: int,
) -> None:
    """Transcribe the recordings in FOLDER, with times, for `vall-e data process`.

    Can be stopped at any time and continues where it stopped. Exit code 8 if a recording failed.
    """
    from vall_e.config.choices import TranscriberChoice
    from vall_e.config.component_option import choose
    from vall_e.data.ingest.transcribe import HEARD, recordings_in
    from vall_e.data.ingest.transcribe import transcribe as run

    choice = choose(name, TranscriberChoice, app.registry, source="--with")
    names = shared(recordings_in(source), stride, offset)
    hear = choice.build(device=device)
    target = output or source / HEARD
    with transcription_progress(app.console, source, names, hear) as on_item:
        found = run(
            source, names, target, lambda clip: hear(clip, language=language), on_item=on_item
        )
    click.echo(f"{target}: {found.done} transcribed, {found.already} already done")
    for path, reason in found.failed[:SHOWN]:
        click.echo(f"  failed {path}: {reason}")
    if found.failed:
        raise DataError(
            f"{len(found.failed)} recordings could not be transcribed", hint="repair or remove them"
        )


@contextmanager
def transcription_progress(
    console: Console, source: Path, names: Sequence[str], hear: Transcriber
) -> Iterator[Callable[[str], None]]:
    """A bar over the seconds of all recordings, which also moves within one."""
    from vall_e.interfaces.transcriber import ReportsProgress

    lengths = {name: _seconds(source / name) for name in names}
    with position_bar(console, round(sum(lengths.values())), "seconds of audio") as show:
        done = 0.0

        def on_item(name: str) -> None:
            nonlocal done
            done += lengths[name]
            show(done)

        if isinstance(hear, ReportsProgress):
            hear.on_seconds = lambda seconds: show(done + seconds)
        yield on_item


def _seconds(path: Path) -> float:
    from vall_e.audio.audio_file import open_audio

    try:
        with open_audio(path) as file:
            return file.seconds
    except VallEError:
        return 0.0  # reported when it is transcribed
