"""What the command line of `vall-e eval` asks for, and whether it makes sense."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import click
from attrs import frozen


@frozen(kw_only=True)
class Asked:
    """What the command line says: a field for each argument and option."""

    table: Path | None
    data: Path | None
    levels: tuple[int, ...]
    texts: Path | None
    voices: tuple[str, ...]
    model: str | None
    count: int | None
    repeats: int
    seed: int
    config: Path | None
    overrides: tuple[str, ...]
    device: str | None
    judges: tuple[str, ...]
    candidates: Path | None
    output: Path | None
    json_file: Path | None
    html_file: Path | None
    workers: int

    @property
    def json_files(self) -> list[Path]:
        return _there(self.json_file, self.output and self.output / "report.json")

    @property
    def html_files(self) -> list[Path]:
        return _there(self.html_file, self.output and self.output / "report.html")

    @property
    def clips(self) -> Path:
        """The folder of what is spoken or decoded."""
        return (self.output or Path()) / "clips"

    def check_usage(self, ctx: click.Context) -> None:
        """Raise `UsageError` unless there is one thing to judge, with options of its kind only."""
        if sum(source is not None for source in (self.table, self.data, self.texts)) != 1:
            raise click.UsageError("give one of LIST, --data and --texts.")
        if not self.table and not self.output:
            raise click.UsageError("name the folder of the clips with -o.")
        for option, needed in self._misplaced(_given(ctx)):
            raise click.UsageError(f"--{_spelt(ctx, option)} goes with {needed}.")

    def _misplaced(self, given: Collection[str]) -> Iterator[tuple[str, str]]:
        """Options that were given without what they need, and that."""
        kinds = (
            ("--texts", self.texts is not None, {"voices", "model", "repeats", "device"}),
            ("--data", self.data is not None, {"levels"}),
            ("--texts or --data", not self.table, {"config", "overrides"}),
        )
        for needed, there, options in kinds:
            if not there:
                yield from ((option, needed) for option in sorted(options.intersection(given)))

    def check_places(self) -> None:
        """Make the folder of the clips; raise `DataError` if a report would have no folder."""
        from vall_e.errors import DataError
        from vall_e.whole_file import make_folder

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
    """What stands on the command line, by the names of `Asked`."""
    names = {parameter.name for parameter in ctx.command.params if parameter.name}
    line = click.core.ParameterSource.COMMANDLINE
    return {name for name in names if ctx.get_parameter_source(name) is line}


def _spelt(ctx: click.Context, name: str) -> str:
    return next(p.opts[-1].lstrip("-") for p in ctx.command.params if p.name == name)
