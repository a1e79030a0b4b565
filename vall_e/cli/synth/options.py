"""The options of `vall-e synth`, in groups."""

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
    """What to speak or process."""

    text: str | None = field(metadata=argument(required=False))
    recording: Path | None = field(
        metadata=option(
            "--input",
            type=existing_file,
            metavar="FILE",
            help="The recording to process, for ns, sr, tse, cse, nse, vc or stt; TEXT is then its "
            "transcript, which helps some tasks.",
        )
    )
    edit: tuple[float, float] | None = field(
        metadata=option(
            "--edit",
            type=TimeRange(),
            metavar="FROM-TO",
            help="cse, nse: the seconds of --input to replace, as in 1.2-1.9; TEXT is the full "
            "transcript after the edit.",
        )
    )
    draft: Path | None = field(
        metadata=option(
            "--draft",
            type=existing_file,
            metavar="FILE",
            help="A recording of the same words to start from, for models with masked decoding.",
        )
    )
    language: str | None = field(
        metadata=option("--language", metavar="CODE", help="Language of the text, such as en-us.")
    )
    seed: int | None = field(
        metadata=option(
            "--seed",
            type=click.IntRange(min=0),
            metavar="N",
            help="The same seed gives the same audio. Default: a random seed, which is printed.",
        )
    )
    max_seconds: float | None = field(
        metadata=option(
            "--max-seconds", type=Seconds(), help="Cut off any sentence longer than this."
        )
    )
    speed: float = field(
        metadata=option(
            "--speed",
            type=FiniteRange(SLOWEST, FASTEST),
            default=1.0,
            metavar="FACTOR",
            help="Speed without changing the pitch: 2 is twice as fast, 0.5 half as fast.",
        )
    )
    batch: Path | None = field(
        metadata=option(
            "--batch",
            type=existing_file,
            metavar="JSONL",
            help='A file with one text on each line, like {"text": "Hi.", "output": "hi.wav"}; '
            "optional keys: voice, seed, language, max_seconds, speed, input, edit and draft.",
        )
    )

    def require(self) -> None:
        """Raise `UsageError` unless exactly one input is given."""
        if (self.text is None and self.recording is None) == (self.batch is None):
            raise click.UsageError(
                "give one of TEXT (- reads stdin), --input FILE (for --task) and --batch FILE."
            )


@frozen
class VoiceOptions:
    """The voice to use."""

    voices: tuple[str, ...] = field(
        metadata=option(
            "--voice",
            metavar="FILE|NAME",
            multiple=True,
            help="A recording of at least 3 seconds, or a name from `vall-e voices list`. Repeat "
            "it "
            "for more recordings of the same speaker. `none`: no voice prompt; the model picks a "
            "voice.  [default: kathleen, with the built-in model]",
        )
    )
    mixture: tuple[str, ...] = field(
        metadata=option(
            "--mix",
            metavar="FILE|NAME[:WEIGHT]",
            multiple=True,
            help="Mix voices: give it at least twice, without --voice.",
        )
    )
    transcript: str | None = field(
        metadata=option(
            "--transcript",
            metavar="TEXT",
            help="Transcript of the --voice recording; for --task tts-c.",
        )
    )

    def require(self) -> None:
        """Raise `UsageError` for an incomplete mixture, or one combined with other voices."""
        if self.mixture and (self.voices or self.transcript):
            raise click.UsageError("--mix replaces --voice and --transcript: leave them out.")
        if len(self.mixture) == 1:
            raise click.UsageError(
                "--mix needs at least two voices: give it again, or use --voice."
            )


@frozen
class Weights:
    """The model, and how it is used."""

    model: str | None = field(
        metadata=option(
            "-m",
            "--model",
            metavar="FILE|NAME",
            help="A weights file, a training folder, or the name of an installed model.  [default: "
            "the built-in model]",
        )
    )
    config: Path | None = field(
        metadata=option(
            "-c",
            "--config",
            type=existing_file,
            metavar="FILE",
            help="A YAML file of options; without -m, the model trained with it is used.",
        )
    )
    nar: str | None = field(
        metadata=option(
            "--nar",
            metavar="FILE|NAME",
            help="Another model for levels 1 and up.",
        )
    )
    loras: tuple[str, ...] = field(
        metadata=option(
            "--lora",
            metavar="FILE[:STRENGTH]",
            multiple=True,
            help="A LoRA to apply; strength 1 is as trained. Several are added up.",
        )
    )
    task: str | None = field(
        metadata=option(
            "--task",
            metavar="NAME",
            help="A task that the model was trained for; the built-in model supports only tts.  "
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
    """Where the audio is written, and what else is printed."""

    output: str | None = field(
        metadata=option(
            "-o",
            "--output",
            metavar="FILE|-",
            help="Output file: .wav, .flac, .ogg, .opus or .mp3; - writes wav to stdout; with "
            "--batch, "
            "a folder.  [default: out.wav, or out]",
        )
    )
    stream: bool = field(
        metadata=option(
            "--stream", is_flag=True, help="Write the audio during synthesis; wav only."
        )
    )
    as_json: bool = field(
        metadata=option(
            "--json", is_flag=True, help="Print the result's details as JSON on stdout."
        )
    )
    provenance: bool = field(
        metadata=option(
            "--provenance",
            is_flag=True,
            help="Write how each file was made next to it, as out.wav.json.",
        )
    )

    allow_anywhere: bool = field(
        metadata=option(
            "--allow-anywhere",
            is_flag=True,
            help="Allow the jobs of --batch to write outside the folder of -o.",
        )
    )

    @property
    def file(self) -> str:
        return self.output or "out.wav"

    @property
    def folder(self) -> Path:
        return Path(self.output or "out")

    def require(self, *, batch: bool) -> None:
        """Raise errors now, and not after all the work."""
        if self.allow_anywhere and not batch:
            raise click.UsageError("--allow-anywhere is only for --batch.")
        if batch and (self.stream or self.output == PIPE):
            raise click.UsageError("--batch writes files: leave out --stream and -o -.")
        if self.as_json and self.output == PIPE:
            raise click.UsageError("--json and -o - both write to stdout: give a file with -o.")
        if self.output == PIPE and sys.stdout.isatty():
            raise click.UsageError(
                "-o - writes wav to stdout, which is a terminal: pipe it to a player, as in `| "
                "aplay`."
            )
        if self.provenance and self.output == PIPE:
            raise click.UsageError("--provenance needs an output file: give one with -o.")
        if self.output in (None, PIPE):
            return
        if self.stream and not self.file.lower().endswith(".wav"):
            raise click.UsageError(f"--stream writes wav: give {self.output} the suffix .wav.")
        if not batch:
            _require_writable(Path(self.file))


def _require_writable(path: Path) -> None:
    format_of(path)
    if not path.parent.is_dir():
        raise AudioError(f"there is no folder {path.parent}", hint=f"mkdir {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise AudioError(
            f"{path} cannot be written: Permission denied",
            hint=f"check the permissions of {path.parent}",
        )
