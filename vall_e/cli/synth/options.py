"""The options of `vall-e synth`, by what they are about."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from attrs import field, frozen

from vall_e.audio.encoding import format_of
from vall_e.audio.time_stretch import FASTEST, SLOWEST
from vall_e.cli.finite_range import FiniteRange
from vall_e.cli.option_groups import argument, option
from vall_e.cli.time_range import Seconds, TimeRange
from vall_e.errors import AudioError

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
PIPE = "-"


@frozen
class Matter:
    """What is to be said, or done."""

    text: str | None = field(metadata=argument(required=False))
    recording: Path | None = field(
        metadata=option(
            "--input",
            type=existing_file,
            metavar="FILE",
            help="The recording that ns, sr, tse, cse, nse, vc or stt works on; TEXT is then what "
            "it says, where that helps.",
        )
    )
    edit: tuple[float, float] | None = field(
        metadata=option(
            "--edit",
            type=TimeRange(),
            metavar="FROM-TO",
            help="cse, nse: the seconds of --input that are said anew, as in 1.2-1.9; TEXT is what "
            "all of it is to say.",
        )
    )
    draft: Path | None = field(
        metadata=option(
            "--draft",
            type=existing_file,
            metavar="FILE",
            help="A recording of the same words to start from, for a model that fills in level 0.",
        )
    )
    language: str | None = field(
        metadata=option(
            "--language", metavar="CODE", help="Such as en-us; one that the model speaks."
        )
    )
    seed: int | None = field(
        metadata=option(
            "--seed",
            type=click.IntRange(min=0),
            metavar="N",
            help="The same seed gives the same audio. Without it one is drawn, and told.",
        )
    )
    max_seconds: float | None = field(
        metadata=option("--max-seconds", type=Seconds(), help="Cut a sentence that becomes longer.")
    )
    speed: float = field(
        metadata=option(
            "--speed",
            type=FiniteRange(SLOWEST, FASTEST),
            default=1.0,
            metavar="FACTOR",
            help="Tempo at the same pitch: 2 is twice as fast, 0.5 half as fast.",
        )
    )
    batch: Path | None = field(
        metadata=option(
            "--batch",
            type=existing_file,
            metavar="JSONL",
            help='A file of many texts, each line like {"text": "Hi.", "output": "hi.wav"}; voice, '
            "seed, language, max_seconds, speed, input, edit and draft may be there too.",
        )
    )

    def require(self) -> None:
        """Raise `UsageError` unless it is one thing that is asked for."""
        if (self.text is None and self.recording is None) == (self.batch is None):
            raise click.UsageError(
                "give one of TEXT (- reads stdin), --input FILE (for --task) and --batch FILE."
            )


@frozen
class VoiceOptions:
    """Whose voice it is."""

    voices: tuple[str, ...] = field(
        metadata=option(
            "--voice",
            metavar="FILE|NAME",
            multiple=True,
            help="A recording of 3 seconds or more, or a name that `vall-e voices list` shows. "
            "Repeat it for further recordings of the same speaker. `none` takes any voice that "
            "comes.  [default: kathleen, if the model is the built-in one]",
        )
    )
    mixture: tuple[str, ...] = field(
        metadata=option(
            "--mix",
            metavar="FILE|NAME[:WEIGHT]",
            multiple=True,
            help="A voice between several: give it twice or more, without --voice.",
        )
    )
    transcript: str | None = field(
        metadata=option(
            "--transcript",
            metavar="TEXT",
            help="What the recording of --voice says; for --task tts-c.",
        )
    )

    def require(self) -> None:
        """Raise `UsageError` for a mixture that is none, or is not alone."""
        if self.mixture and (self.voices or self.transcript):
            raise click.UsageError(
                "--mix makes a voice of its own: leave out --voice, --transcript."
            )
        if len(self.mixture) == 1:
            raise click.UsageError("--mix lies between voices: give it again, or take --voice.")


@frozen
class Weights:
    """What speaks, and how."""

    model: str | None = field(
        metadata=option(
            "-m",
            "--model",
            metavar="FILE|NAME",
            help="A weights file, a training folder, or the name of an installed model.  [default: "
            "the built-in one]",
        )
    )
    config: Path | None = field(
        metadata=option(
            "-c",
            "--config",
            type=existing_file,
            metavar="FILE",
            help="A YAML file of options; without -m the model that it trained speaks.",
        )
    )
    nar: str | None = field(
        metadata=option(
            "--nar",
            metavar="FILE|NAME",
            help="Another model for the levels after the first.",
        )
    )
    loras: tuple[str, ...] = field(
        metadata=option(
            "--lora",
            metavar="FILE[:STRENGTH]",
            multiple=True,
            help="A LoRA to speak with; strength 1 is as it was trained. Several add up.",
        )
    )
    task: str | None = field(
        metadata=option(
            "--task",
            metavar="NAME",
            help="One that the model was trained for; the built-in one knows tts only.  "
            "[default: its first]",
        )
    )
    overrides: tuple[str, ...] = field(
        metadata=option(
            "--set",
            metavar="KEY=VALUE",
            multiple=True,
            help="Change an option, as in sampling.guidance=2; `vall-e config show` lists all.",
        )
    )
    device: str | None = field(
        metadata=option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps.")
    )


@frozen
class OutputOptions:
    """Where the audio goes, and what else is told."""

    output: str | None = field(
        metadata=option(
            "-o",
            "--output",
            metavar="FILE|-",
            help="Where to: .wav, .flac, .ogg, .opus or .mp3; - writes wav to stdout; with --batch "
            "it is a folder.  [default: out.wav, or out]",
        )
    )
    stream: bool = field(
        metadata=option(
            "--stream", is_flag=True, help="Write the audio while it is made; wav only."
        )
    )
    as_json: bool = field(
        metadata=option(
            "--json", is_flag=True, help="Tell all about the result, as JSON on stdout."
        )
    )
    provenance: bool = field(
        metadata=option(
            "--provenance",
            is_flag=True,
            help="Write beside each file what made it, as out.wav.json.",
        )
    )

    allow_anywhere: bool = field(
        metadata=option(
            "--allow-anywhere",
            is_flag=True,
            help="Let the jobs of --batch write outside the folder of -o.",
        )
    )

    @property
    def file(self) -> str:
        return self.output or "out.wav"

    @property
    def folder(self) -> Path:
        return Path(self.output or "out")

    def require(self, *, batch: bool) -> None:
        """Raise an error now, and not after all the work."""
        if self.allow_anywhere and not batch:
            raise click.UsageError("--allow-anywhere is for the outputs of --batch.")
        if batch and (self.stream or self.output == PIPE):
            raise click.UsageError("--batch writes files: leave out --stream and -o -.")
        if self.as_json and self.output == PIPE:
            raise click.UsageError("--json and -o - both write to stdout: name a file with -o.")
        if self.output == PIPE and sys.stdout.isatty():
            raise click.UsageError(
                "-o - writes wav to stdout, which is a terminal: pipe it to a player, as `| aplay`."
            )
        if self.provenance and self.output == PIPE:
            raise click.UsageError("--provenance writes beside a file: name one with -o.")
        if self.output in (None, PIPE):
            return
        if self.stream and not self.file.lower().endswith(".wav"):
            raise click.UsageError(f"--stream writes wav: name {self.output} with the suffix .wav.")
        if not batch:
            _require_writable(Path(self.file))


def _require_writable(path: Path) -> None:
    format_of(path)
    if not path.parent.is_dir():
        raise AudioError(f"there is no folder {path.parent}", hint=f"mkdir {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise AudioError(
            f"{path} cannot be written: Permission denied",
            hint=f"check who may write in {path.parent}",
        )
