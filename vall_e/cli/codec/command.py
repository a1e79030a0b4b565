"""`vall-e codec`: encode recordings to code files, decode them, and show their contents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from vall_e.audio.encoding import ENCODINGS, format_of
from vall_e.cli.app import App
from vall_e.cli.codec.edit import cut, join
from vall_e.cli.codec.files import CODES, ECKER_SUFFIXES, facts_of_ecker, is_ecker
from vall_e.cli.codec.options import CodecOption
from vall_e.cli.option_groups import Grouped, grouped
from vall_e.errors import AudioError, CheckpointError, DataError, VallEError
from vall_e.registry import Preset

if TYPE_CHECKING:
    from vall_e.interfaces.codec import Codec

existing = click.Path(exists=True, path_type=Path)
SOURCES = click.argument("sources", nargs=-1, required=True, type=existing)
OUTPUT = click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path),
    help="Output file; with several SOURCES or a folder, the output folder.",
)  # fmt: skip
DEVICE = click.option("--device", default="cpu", show_default=True, help="auto, cpu, cuda, cuda:1.")
Todo = list[tuple[Path, Path]]
"""What to read and what to write."""


class CodecGroup(click.Group):
    """Our commands, and those of the built-in group of the same name, which train codecs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        making = _making(ctx)
        more = making.list_commands(ctx) if making else []
        return sorted({*super().list_commands(ctx), *more})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        ours, making = super().get_command(ctx, cmd_name), _making(ctx)
        return ours or (making.get_command(ctx, cmd_name) if making else None)


def _making(ctx: click.Context) -> click.Group | None:
    registry, name = ctx.ensure_object(App).registry, Preset("codec")
    for offer in registry.find("command", name):
        command = offer.component.build(offer.component.config())
        if offer.built_in and isinstance(command, click.Group):
            return command
    return None


@click.group(cls=CodecGroup)
def codec() -> None:
    """Encode recordings to codes and decode them; train the embedded codec."""


codec.add_command(join)
codec.add_command(cut)


@codec.command(cls=Grouped)
@SOURCES
@OUTPUT
@grouped(choice=CodecOption)
@click.option("--levels", type=click.IntRange(min=1), metavar="N", help="Keep the first N levels.")
@DEVICE
@click.pass_obj
def encode(
    app: App,
    sources: tuple[Path, ...],
    output: Path,
    choice: CodecOption,
    levels: int | None,
    device: str,
) -> None:
    """Encode recordings, and those in folders, to .codes.safetensors files.

    A single one can also be written as .enc or .dac, for programs that read those.
    """
    from vall_e.data.ingest.audio_suffixes import AUDIO

    todo = _todo(sources, output, AUDIO, CODES)
    if _is_one(todo, output):
        _require_codes(output)
    found = choice.open(app, device)

    def do(source: Path, target: Path) -> str:
        from vall_e.cli.codec.files import save
        from vall_e.codec.long_audio import encode_file

        encoded = encode_file(source, found)
        codes = encoded.codes if levels is None else encoded.codes.levels(levels)
        save(evolve(encoded, codes=codes), source, target)
        return f"{codes.frames} frames, {len(codes.values)} levels, {codes.seconds:.2f} s"

    _each(todo, do)


@codec.command(cls=Grouped)
@SOURCES
@OUTPUT
@grouped(choice=CodecOption)
@click.option("--levels", type=click.IntRange(min=1), metavar="N", help="Use the first N levels.")
@click.option(
    "--format", "kind", type=click.Choice([*ENCODINGS]),
    help="Audio format for files in a folder. Default: wav.",
)  # fmt: skip
@DEVICE
@click.pass_obj
def decode(
    app: App,
    sources: tuple[Path, ...],
    output: Path,
    choice: CodecOption,
    levels: int | None,
    kind: str | None,
    device: str,
) -> None:
    """Decode code files to audio. They must be from the chosen codec."""
    todo = _todo(sources, output, (CODES, *ECKER_SUFFIXES), f".{kind or 'wav'}")
    if _is_one(todo, output):
        _require_no_format(kind)
        format_of(output)
    found = choice.open(app, device)

    def do(source: Path, target: Path) -> str:
        from vall_e.cli.codec.files import codes_of, write_sound

        codes = codes_of(source, found)
        codes = codes if levels is None else codes.levels(levels)
        return f"{write_sound(codes, found, source=source, target=target):.2f} s"

    _each(todo, do)


@codec.command(cls=Grouped)
@click.argument("file", required=False, type=existing)
@grouped(choice=CodecOption)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.pass_obj
def info(
    app: App,
    file: Path | None,
    choice: CodecOption,
    as_json: bool,
) -> None:
    """Show what a code file contains, or describe a codec.

    FILE can be either; without FILE, the chosen codec is described.
    """
    from vall_e.audio.codes import holds_codes

    if file is not None and is_ecker(file):
        facts = facts_of_ecker(file)
    elif file is not None and holds_codes(file):
        facts = _facts_of_codes(file)
    else:
        _require_no_recording(file)
        if file is not None:
            path = f"codec.path={json.dumps(str(file))}"
            choice = evolve(choice, overrides=(path, *choice.overrides))
        facts = _facts_of_codec(choice.open(app, "cpu"))
    lines = (f"{fact}: {value}" for fact, value in facts.items())
    click.echo(json.dumps(facts) if as_json else "\n".join(lines))


def _todo(sources: Iterable[Path], output: Path, wanted: tuple[str, ...], suffix: str) -> Todo:
    """Each file with its target: the output itself for one file, else a file in that folder."""
    files = [pair for source in sources for pair in _files(source, wanted)]
    if not files:
        raise DataError(
            f"nothing to do: there are no {' '.join(wanted)} files in the folders",
            hint="give the files, or another folder",
        )
    one = [source for source in sources if source.is_file()]
    if len(one) == len(files) == 1 and not output.is_dir():
        todo = [(one[0], output)]
    else:
        todo = [(file, output / f"{_stem(short)}{suffix}") for file, short in files]
    _require_distinct(todo)
    _require_kept(todo)
    return todo


def _is_one(todo: Todo, output: Path) -> bool:
    """Whether the output is a file, not a folder."""
    return todo[0][1] == output


def _files(source: Path, wanted: tuple[str, ...]) -> list[tuple[Path, Path]]:
    """Files, each with its relative path below the folder."""
    if source.is_file():
        return [(source, Path(source.name))]
    found = (file for file in source.rglob("*") if file.name.lower().endswith(wanted))
    return [(file, file.relative_to(source)) for file in sorted(found) if file.is_file()]


def _stem(short: Path) -> Path:
    name = short.name.removesuffix(CODES)
    return short.with_name(name if name != short.name else short.stem)


def _require_distinct(todo: Todo) -> None:
    first: dict[Path, Path] = {}
    for source, target in todo:
        if target in first:
            raise DataError(
                f"{first[target]} and {source} would both be written to {target}",
                hint="process them separately, into two folders",
            )
        first[target] = source


def _require_kept(todo: Todo) -> None:
    """Raise `DataError` if an input file would be overwritten."""
    sources = {source.resolve() for source, _ in todo}
    for source, target in todo:
        if target.resolve() in sources:
            raise DataError(
                f"{source} would overwrite an input file: {target}",
                hint="give another -o",
            )


def _require_codes(output: Path) -> None:
    if not (output.name.endswith(CODES) or is_ecker(output)):
        name = output.name.partition(".")[0] or "voice"
        raise DataError(
            f"{output} is not a valid name for a code file, which must end in {CODES}",
            hint=f"use -o {output.with_name(name + CODES)}",
        )


def _require_no_format(kind: str | None) -> None:
    if kind is not None:
        raise click.UsageError(
            "--format is for folders: the format of a single file is given by the suffix of -o"
        )


def _require_no_recording(file: Path | None) -> None:
    from vall_e.data.ingest.audio_suffixes import AUDIO

    if file is not None and file.suffix.lower() in AUDIO:
        raise DataError(
            f"{file} is a recording, neither a code file nor a codec",
            hint=f"encode it first: vall-e codec encode {file} -o {file.stem}{CODES}",
        )


def _each(todo: Todo, do: Callable[[Path, Path], str]) -> None:
    """Process all files; if there are several, one that fails does not stop the others."""
    failed = 0
    for source, target in todo:
        try:
            if len(todo) > 1:
                _make_folder(target.parent)
            outcome = do(source, target)
        except VallEError as exc:
            if len(todo) == 1:
                raise
            failed += 1
            click.echo(f"Error: {exc.message}", err=True)
        else:
            click.echo(f"{target}: {outcome}")
    if failed:
        raise DataError(f"{failed} of {len(todo)} files failed", hint="see the messages above")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise AudioError(
            f"the folder {folder} cannot be made: {exc.strerror}", hint="give another -o"
        ) from exc


def _facts_of_codes(file: Path) -> dict[str, Any]:
    from vall_e.audio.codes import Codes

    codes = Codes.load(file)
    return {
        "codec": codes.codec,
        "levels": len(codes.values),
        "frames": codes.frames,
        "seconds": round(codes.seconds, 3),
        "frame_rate": codes.frame_rate,
        "sample_rate": codes.sample_rate,
        **({} if codes.blocks is None else {"blocks": len(codes.blocks.starts)}),
    }


def _facts_of_codec(found: Codec) -> dict[str, Any]:
    from math import log2

    from vall_e.interfaces.codec import Blockwise

    return {
        "identity": found.identity,
        "sample_rate": found.sample_rate,
        "frame_rate": found.frame_rate,
        "levels": found.levels,
        "codebook_size": found.codebook_size,
        "bits_per_second": round(found.frame_rate * found.levels * log2(found.codebook_size)),
        "channels": found.channels if isinstance(found, Blockwise) else 1,
        "decodes": _decodes(found),
    }


def _decodes(found: Codec) -> bool:
    """False for a codec that only has codebooks."""
    try:
        found.stream()
    except CheckpointError:
        return False
    return True
