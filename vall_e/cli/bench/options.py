"""The options of `vall-e bench`: what is measured, and what goes with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import field, fields_dict, frozen

from vall_e.cli.option_groups import argument, option

if TYPE_CHECKING:
    from vall_e.synthesis.compare import Size

existing = click.Path(exists=True, path_type=Path)
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)

GOES_WITH: Mapping[str, tuple[str, ...]] = {
    "startup": (),
    "data": ("size", "config", "overrides", "device"),
    "compare": ("size", "device"),
    "embedded": ("overrides",),
    "backbones": ("config", "overrides", "device"),
    "codecs": ("places", "levels", "count", "config", "overrides", "device"),
    "": ("model", "nar", "config", "overrides", "device"),
}
"""Options that each subject heeds, beside --repeats and --json; no flag measures a model."""


@frozen
class Asked:
    """What the command line says."""

    places: tuple[Path, ...] = field(metadata=argument(metavar="[FILES]", nargs=-1, type=existing))
    codecs: bool = field(
        metadata=option(
            "--codecs", is_flag=True, help="Measure the codec, Opus and Codec2 on FILES."
        )
    )
    levels: tuple[int, ...] = field(
        metadata=option(
            "--levels",
            type=click.IntRange(min=1),
            multiple=True,
            help="With --codecs; may be repeated.",
        )
    )
    count: int | None = field(
        metadata=option(
            "-n",
            "--count",
            type=click.IntRange(min=1),
            help="With --codecs: the first so many.",
        )
    )
    backbones: bool = field(
        metadata=option(
            "--backbones", is_flag=True, help="Measure the installed backbones beside llama."
        )
    )
    embedded: bool = field(
        metadata=option(
            "--embedded", is_flag=True, help="Measure the built-in voice, and espeak-ng."
        )
    )
    startup: bool = field(
        metadata=option("--startup", is_flag=True, help="Measure how soon the command answers.")
    )
    data: bool = field(
        metadata=option(
            "--data", is_flag=True, help="Measure how fast one loader process feeds a run."
        )
    )
    compare: bool = field(
        metadata=option(
            "--compare", is_flag=True, help="Measure ways of decoding beside each other."
        )
    )
    size: Size | None = field(
        metadata=option(
            "--size",
            type=click.Choice(["full", "quarter", "embedded", "tiny"]),
            help="Of the model of --compare or --data; usually quarter.",
        )
    )
    model: str | None = field(
        metadata=option("-m", "--model", metavar="FILE|NAME", help="Else the one that is built in.")
    )
    nar: str | None = field(
        metadata=option(
            "--nar", metavar="FILE|NAME", help="Other weights for the levels after the first."
        )
    )
    config: Path | None = field(
        metadata=option("-c", "--config", type=existing_file, help="YAML file of options.")
    )
    overrides: tuple[str, ...] = field(
        metadata=option("--set", metavar="KEY=VALUE", multiple=True, help="Override an option.")
    )
    device: str | None = field(metadata=option("--device", help="auto, cpu, cuda, cuda:1, mps."))
    repeats: int = field(
        metadata=option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
    )
    as_json: bool = field(metadata=option("--json", is_flag=True, help="For programs, on stdout."))

    @property
    def subject(self) -> str:
        """What is measured, a key of `GOES_WITH`."""
        return next((name for name in GOES_WITH if name and getattr(self, name)), "")

    def require(self) -> None:
        """Raise `UsageError` unless one thing is measured, with options that it heeds."""
        for name in self._unheeded():
            raise click.UsageError(_refusal(name, self.subject))
        if self.codecs and not self.places:
            raise click.UsageError("--codecs goes with FILES: recordings, or folders or tables.")

    def _unheeded(self) -> Iterator[str]:
        heeded = (self.subject, *GOES_WITH[self.subject], "repeats", "as_json")
        return (name for name in fields_dict(Asked) if name not in heeded and getattr(self, name))


def _refusal(name: str, subject: str) -> str:
    if subject:
        heeded = ", ".join([*map(_spelt, GOES_WITH[subject]), "--repeats"])
        return f"--{subject} goes with {heeded} and --json only: leave out {_spelt(name)}."
    owners = [f"--{owner}" for owner, heeded in GOES_WITH.items() if name in heeded]
    return f"{_spelt(name)} goes with {' or '.join(owners)}."


def _spelt(name: str) -> str:
    flags: tuple[str, ...] = fields_dict(Asked)[name].metadata["flags"]
    return flags[-1] if flags else "FILES"
