"""`vall-e codec join` and `vall-e codec cut`: codes without a recording."""

from __future__ import annotations

from pathlib import Path

import click

from vall_e.cli.app import App
from vall_e.cli.codec.files import CODES_IN, codes_of, require_ending
from vall_e.cli.codec.options import CodecOption
from vall_e.cli.option_groups import Grouped, grouped
from vall_e.cli.time_range import Seconds

SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help=f"Output: {CODES_IN}."
)


@click.command(cls=Grouped)
@click.argument("sources", nargs=-1, required=True, type=SOURCE)
@OUTPUT
@grouped(choice=CodecOption)
@click.option(
    "--pause", type=Seconds(zero=True), default=0.0, show_default=True,
    help="Seconds of silence between the parts.",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Decode and encode again, so that there is no seam.")
@click.option("--device", default="cpu", show_default=True, help="auto, cpu, cuda, cuda:1.")
@click.pass_obj
def join(
    app: App,
    sources: tuple[Path, ...],
    output: Path,
    choice: CodecOption,
    pause: float,
    again: bool,
    device: str,
) -> None:
    """Join code files into one, in order."""
    from vall_e.codec.edit import join

    require_ending(output)
    codec = choice.open(app, device)
    parts = [codes_of(source, codec) for source in sources]
    codes = join(parts, codec, pause=pause, again=again)
    codes.save(output)
    click.echo(f"{output}: {codes.frames} frames, {codes.seconds:.2f} s")


@click.command()
@click.argument("source", type=SOURCE)
@OUTPUT
@click.option(
    "--from", "start", type=Seconds(zero=True), default=0.0, show_default=True, help="Seconds."
)
@click.option("--to", "end", type=Seconds(), help="End, in seconds. Default: the end of the file.")
def cut(source: Path, output: Path, start: float, end: float | None) -> None:
    """Keep a part of a code file."""
    from vall_e.audio.codes import Codes
    from vall_e.codec.edit import cut

    require_ending(output)
    codes = cut(Codes.load(source), start, end)
    codes.save(output)
    click.echo(f"{output}: {codes.frames} frames, {codes.seconds:.2f} s")
