"""The options of `vall-e bench`: what is measured, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import field, fields_dict, frozen

from vall_e.cli.option_groups import argument, option

if TYPE_CHECKING:
    from vall_e.benchmarks.decoding_modes import ModelSize

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
"""Options of each benchmark, in addition to --repeats and --json; "" measures a model."""


@frozen
class BenchOptions:
    """The options on the command line."""

    places: tuple[Path, ...] = field(metadata=argument(metavar="[FILES]", nargs=-1, type=existing))
    codecs: bool = field(
        metadata=option(
            "--codecs",
            is_flag=True,
            help="Bit rate, speed and quality of the config's codec on FILES (recordings, "
            "folders or "
            "tables of recordings), compared with Opus and Codec2.",
        )
    )
    levels: tuple[int, ...] = field(
        metadata=option(
            "--levels",
            type=click.IntRange(min=1),
            multiple=True,
            metavar="N",
            help="With --codecs: number of levels to use; may be repeated.",
        )
    )
    count: int | None = field(
        metadata=option(
            "-n",
            "--count",
            type=click.IntRange(min=1),
            metavar="N",
            help="With --codecs: use only the first N recordings.",
        )
    )
    backbones: bool = field(
        metadata=option(
            "--backbones",
            is_flag=True,
            help="Speed, parameters and memory of every backbone, with random weights, in the size "
            "and with the attention kernel of the config.",
        )
    )
    embedded: bool = field(
        metadata=option(
            "--embedded",
            is_flag=True,
            help="Start-up, first audio, speed and memory of the built-in voice in new "
            "processes, on "
            "one thread (--set synthesis.threads=2 for more), compared with espeak-ng.",
        )
    )
    startup: bool = field(
        metadata=option(
            "--startup",
            is_flag=True,
            help="Response time of `vall-e --help` and `vall-e plugins list`, also with 100 more "
            "plugins. Close other programs first.",
        )
    )
    data: bool = field(
        metadata=option(
            "--data",
            is_flag=True,
            help="How fast one loader process reads, compared with how fast training consumes; "
            "with "
            "the config's data, or generated data.",
        )
    )
    compare: bool = field(
        metadata=option(
            "--compare",
            is_flag=True,
            help="Ways of decoding: fp32, bf16 and int8, with and without a cache, alone and in a "
            "batch, beside what the memory allows; a model of --size that knows nothing, on one "
            "thread.",
        )
    )
    size: ModelSize | None = field(
        metadata=option(
            "--size",
            type=click.Choice(["full", "quarter", "embedded", "tiny"]),
            help="Of the model of --compare or --data.  [default: quarter]",
        )
    )
    model: str | None = field(
        metadata=option("-m", "--model", metavar="FILE|NAME", help="[default: the built-in model]")
    )
    nar: str | None = field(
        metadata=option("--nar", metavar="FILE|NAME", help="Another model for levels 1 and up.")
    )
    config: Path | None = field(
        metadata=option(
            "-c", "--config", type=existing_file, metavar="FILE", help="YAML file of options."
        )
    )
    overrides: tuple[str, ...] = field(
        metadata=option("--set", metavar="KEY=VALUE", multiple=True, help="Change an option.")
    )
    device: str | None = field(
        metadata=option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps.")
    )
    repeats: int = field(
        metadata=option(
            "--repeats",
            type=click.IntRange(min=1),
            metavar="N",
            default=3,
            show_default=True,
            help="Number of repetitions of each measurement.",
        )
    )
    as_json: bool = field(
        metadata=option("--json", is_flag=True, help="Print the results as JSON on stdout.")
    )

    @property
    def subject(self) -> str:
        """What is measured, a key of `GOES_WITH`."""
        return next((name for name in GOES_WITH if name and getattr(self, name)), "")

    def require(self) -> None:
        """Raise `UsageError` unless one thing is measured, with options that apply to it."""
        for name in self._unheeded():
            raise click.UsageError(_refusal(name, self.subject))
        if self.codecs and not self.places:
            raise click.UsageError(
                "--codecs needs FILES: recordings, or folders or tables of them."
            )

    def _unheeded(self) -> Iterator[str]:
        heeded = (self.subject, *GOES_WITH[self.subject], "repeats", "as_json")
        return (
            name for name in fields_dict(BenchOptions) if name not in heeded and getattr(self, name)
        )


def _refusal(name: str, subject: str) -> str:
    if subject:
        heeded = ", ".join([*map(_spelt, GOES_WITH[subject]), "--repeats"])
        return f"--{subject} can only be used with {heeded} and --json: leave out {_spelt(name)}."
    owners = [f"--{owner}" for owner, heeded in GOES_WITH.items() if name in heeded]
    return f"{_spelt(name)} can only be used with {' or '.join(owners)}."


def _spelt(name: str) -> str:
    flags: tuple[str, ...] = fields_dict(BenchOptions)[name].metadata["flags"]
    return flags[-1] if flags else "FILES"
