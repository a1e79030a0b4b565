"""The options of `vall-e eval`, and their checks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import click
from attrs import field, frozen

from vall_e.cli.option_groups import argument, option

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
POSITIVE = click.IntRange(min=1)


@frozen
class EvalOptions:
    """The options on the command line."""

    table: Path | None = field(metadata=argument(metavar="[LIST]", required=False, type=FILE))
    data: Path | None = field(
        metadata=option(
            "--data",
            type=click.Path(exists=True, path_type=Path),
            help="Judge a codec: a dataset, a folder of recordings, or a table of them.",
        )
    )
    levels: tuple[int, ...] = field(
        metadata=option(
            "--levels",
            type=POSITIVE,
            metavar="N",
            multiple=True,
            help="With --data: number of levels to decode; may be repeated.",
        )
    )
    texts: Path | None = field(
        metadata=option(
            "--texts",
            type=FILE,
            metavar="FILE",
            help="Judge a model: it speaks the sentences of this file, one on each line.",
        )
    )
    voices: tuple[str, ...] = field(
        metadata=option(
            "--voice",
            metavar="FILE|NAME",
            multiple=True,
            help="With --texts: a voice to use; may be repeated.",
        )
    )
    model: str | None = field(
        metadata=option("-m", "--model", metavar="FILE|NAME", help="[default: the built-in model]")
    )
    loras: tuple[str, ...] = field(
        metadata=option(
            "--lora",
            metavar="FILE[:STRENGTH]",
            multiple=True,
            help="With --texts: a LoRA for the model; may be repeated.",
        )
    )
    count: int | None = field(
        metadata=option(
            "-n",
            "--count",
            type=POSITIVE,
            metavar="N",
            help="Use only the first N texts or recordings.",
        )
    )
    repeats: int = field(
        metadata=option(
            "--repeats",
            type=POSITIVE,
            metavar="N",
            default=1,
            show_default=True,
            help="Speak each text this many times, with different seeds.",
        )
    )
    seed: int = field(
        metadata=option(
            "--seed",
            type=click.IntRange(min=0),
            metavar="N",
            default=0,
            show_default=True,
            help="Seed of the first text; the next one has N + 1.",
        )
    )
    config: Path | None = field(
        metadata=option("-c", "--config", type=FILE, metavar="FILE", help="YAML file of options.")
    )
    overrides: tuple[str, ...] = field(
        metadata=option("--set", metavar="KEY=VALUE", multiple=True, help="Change an option.")
    )
    device: str | None = field(
        metadata=option(
            "--device", metavar="NAME", help="Device for synthesis: auto, cpu, cuda, cuda:1 or mps."
        )
    )
    judges: tuple[str, ...] = field(
        metadata=option(
            "--judge",
            metavar="NAME",
            multiple=True,
            help="Use only this judge; may be repeated, and may have options: "
            "'{name: pesq, band: nb}'. "
            "`vall-e plugins list --kind judge` lists them.  [default: all that work here]",
        )
    )
    candidates: Path | None = field(
        metadata=option(
            "--candidates",
            type=FILE,
            metavar="FILE",
            help="More sentences, one on each line, that the recognizer chooses from.",
        )
    )
    output: Path | None = field(
        metadata=option(
            "-o",
            "--output",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="FOLDER",
            help="Folder for the clips, report.json and report.html; needed with --texts and "
            "--data.",
        )
    )
    json_file: Path | None = field(
        metadata=option(
            "--json", type=NEW_FILE, metavar="FILE", help="Also write the figures here."
        )
    )
    html_file: Path | None = field(
        metadata=option("--html", type=NEW_FILE, metavar="FILE", help="Also write the page here.")
    )
    workers: int = field(
        metadata=option(
            "--workers",
            type=click.IntRange(min=0),
            metavar="N",
            default=0,
            show_default=True,
            help="Number of processes that judge; 0 judges in this one.",
        )
    )

    @property
    def json_files(self) -> list[Path]:
        return _there(self.json_file, self.output and self.output / "report.json")

    @property
    def html_files(self) -> list[Path]:
        return _there(self.html_file, self.output and self.output / "report.html")

    @property
    def clips(self) -> Path:
        """The folder for synthesized or decoded clips."""
        return (self.output or Path()) / "clips"

    def check_usage(self, ctx: click.Context) -> None:
        """Raise `UsageError` unless there is one thing to judge, with options that apply to it."""
        if sum(source is not None for source in (self.table, self.data, self.texts)) != 1:
            raise click.UsageError("give one of LIST, --data and --texts.")
        if not self.table and not self.output:
            raise click.UsageError("give the folder of the clips with -o.")
        for name, needed in self._misplaced(_given(ctx)):
            raise click.UsageError(f"--{_spelt(ctx, name)} needs {needed}.")

    def _misplaced(self, given: Collection[str]) -> Iterator[tuple[str, str]]:
        """Options given without those that they need, and these."""
        kinds = (
            ("--texts", self.texts is not None, {"voices", "model", "loras", "repeats", "device"}),
            ("--data", self.data is not None, {"levels"}),
            ("--texts or --data", not self.table, {"config", "overrides"}),
        )
        for needed, there, options in kinds:
            if not there:
                yield from ((name, needed) for name in sorted(options.intersection(given)))

    def check_places(self) -> None:
        """Create the folder of the clips; raise `DataError` if a report's folder does not exist."""
        from vall_e.atomic_write import make_folder
        from vall_e.errors import DataError

        if self.output:
            make_folder(self.output, error=DataError)
        for path in (*self.json_files, *self.html_files):
            if not path.parent.is_dir():
                raise DataError(
                    f"{path} cannot be written: {path.parent} is not a folder",
                    hint=f"make the folder {path.parent} first",
                )


def _there(*paths: Path | None) -> list[Path]:
    return [path for path in paths if path]


def _given(ctx: click.Context) -> set[str]:
    """The options on the command line, by the names of `EvalOptions`."""
    names = {parameter.name for parameter in ctx.command.params if parameter.name}
    line = click.core.ParameterSource.COMMANDLINE
    return {name for name in names if ctx.get_parameter_source(name) is line}


def _spelt(ctx: click.Context, name: str) -> str:
    return next(p.opts[-1].lstrip("-") for p in ctx.command.params if p.name == name)
