"""The options of `vall-e synth`, by what they are about."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import field, frozen

from vall_e.audio.encoding import format_of
from vall_e.cli.option_groups import argument, option
from vall_e.cli.seconds import Seconds, Span
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
            help="The recording that --task works on: ns, sr, tse, cse, nse, vc, stt.",
        )
    )
    edit: tuple[float, float] | None = field(
        metadata=option(
            "--edit",
            type=Span(),
            metavar="FROM-TO",
            help="Seconds of --input that are said anew, as TEXT has them: cse, nse.",
        )
    )
    draft: Path | None = field(
        metadata=option(
            "--draft",
            type=existing_file,
            metavar="FILE",
            help="A recording of the same words to start from, where level 0 is filled in.",
        )
    )
    language: str | None = field(
        metadata=option("--language", metavar="CODE", help="One that the model speaks.")
    )
    seed: int | None = field(
        metadata=option(
            "--seed", type=click.IntRange(min=0), help="Same seed, same audio. Else it is told."
        )
    )
    max_seconds: float | None = field(
        metadata=option("--max-seconds", type=Seconds(), help="End each sentence here.")
    )
    batch: Path | None = field(
        metadata=option(
            "--batch",
            type=existing_file,
            metavar="JSONL",
            help="Many texts: a line is {text, output, voice, seed, language, max_seconds, input, "
            "edit, draft}.",
        )
    )

    def require(self) -> None:
        """Raise `UsageError` unless it is one thing that is asked for."""
        if (self.text is None and self.recording is None) == (self.batch is None):
            raise click.UsageError(
                "give one of TEXT (- reads stdin), --input FILE (for --task) and --batch FILE."
            )


@frozen
class Speaker:
    """Whose voice it is."""

    voices: tuple[str, ...] = field(
        metadata=option(
            "--voice",
            metavar="FILE|NAME",
            multiple=True,
            help="A recording, a voice file, or a name of `vall-e voices list`; none: any voice. "
            "Given again: further recordings of the same speaker.",
        )
    )
    mixture: tuple[str, ...] = field(
        metadata=option(
            "--mix",
            metavar="FILE|NAME[:WEIGHT]",
            multiple=True,
            help="In place of --voice, two or more times: a voice between these, 1 each unless "
            "told.",
        )
    )
    transcript: str | None = field(
        metadata=option(
            "--transcript", metavar="TEXT", help="What the recording of --voice says: tts-c."
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
            help="Weights, a training folder, or an installed model.",
        )
    )
    config: Path | None = field(
        metadata=option(
            "-c",
            "--config",
            type=existing_file,
            help="YAML file of options; without -m its trained model.",
        )
    )
    nar: str | None = field(
        metadata=option(
            "--nar", metavar="FILE|NAME", help="Other weights for the levels after the first."
        )
    )
    loras: tuple[str, ...] = field(
        metadata=option(
            "--lora",
            metavar="FILE[:STRENGTH]",
            multiple=True,
            help="A LoRA to speak with, 1 as strong as trained; several add up.",
        )
    )
    task: str | None = field(
        metadata=option(
            "--task", metavar="NAME", help="One that the model knows.  [default: its first]"
        )
    )
    overrides: tuple[str, ...] = field(
        metadata=option("--set", metavar="KEY=VALUE", multiple=True, help="Override an option.")
    )
    device: str | None = field(metadata=option("--device", help="auto, cpu, cuda, cuda:1, mps."))


@frozen
class Target:
    """Where the audio goes, and what else is told."""

    output: str | None = field(
        metadata=option(
            "-o",
            "--output",
            metavar="FILE|-",
            help="Audio file, of the format that its suffix says; - writes wav to stdout; with "
            "--batch the folder of its files.  [default: out.wav, or the folder out]",
        )
    )
    stream: bool = field(
        metadata=option("--stream", is_flag=True, help="Write audio while it is made (wav).")
    )
    as_json: bool = field(
        metadata=option("--json", is_flag=True, help="Tell all about the result, on stdout.")
    )
    provenance: bool = field(
        metadata=option(
            "--provenance",
            is_flag=True,
            help="Write what made each file beside it: out.wav.json, say.",
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
        if batch and (self.stream or self.output == PIPE):
            raise click.UsageError("--batch writes files: leave out --stream and -o -.")
        if self.as_json and self.output == PIPE:
            raise click.UsageError("--json and -o - both write to stdout: name a file with -o.")
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
