"""`vall-e models`: convert models of other projects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from vall_e.cli.app import App

if TYPE_CHECKING:
    from vall_e.config.model import ModelConfig
    from vall_e.weights.ecker.config import Sums

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def models() -> None:
    """Convert models of other projects."""


@models.command()
@click.argument("source", type=existing_file)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True,
    help="Output file, with the suffix .safetensors.",
)  # fmt: skip
@click.option(
    "--config",
    type=existing_file,
    help="Its YAML or JSON config.  [default: inside it or next to it]",
)
@click.option(
    "--tokenizer",
    type=existing_file,
    help="Its tokenizer.json.  [default: next to it or inside it]",
)
@click.option(
    "--sums", type=click.Choice(["auto", "legacy", "whole"]), default="auto", show_default=True,
    help="Whether sums of levels leave out the newest, as before March 2025 (legacy).",
)  # fmt: skip
@click.pass_obj
def convert(
    app: App, source: Path, output: Path, config: Path | None, tokenizer: Path | None, sums: str
) -> None:
    """Convert SOURCE, an .sft, .safetensors or .pth of e-c-k-e-r/vall-e, to a weights file.

    Everything else in SOURCE is kept, for `vall-e export --to ecker`. A LoRA becomes a LoRA.
    """
    from vall_e.export.import_ecker import convert_ecker, convert_lora
    from vall_e.weights.ecker.file import Reading
    from vall_e.weights.lora_file import holds_only_lora

    if holds_only_lora(source):
        terms = convert_lora(source, output).terms
        levels = ", ".join(map(str, terms.levels)) or "all"
        click.echo(f"LoRA of rank {terms.rank}, alpha {terms.alpha:g}, for levels: {levels}")
        click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
        return
    reading = Reading(config, tokenizer, cast("Sums", sums))
    bundle = convert_ecker(source, output, app.registry, reading)
    model = bundle.config.model
    for fact, value in (
        ("backbone", model.backbone.name),
        ("capabilities", ", ".join(model.capabilities)),
        ("levels", bundle.model.sizes.levels),
        ("sums", _sums(model)),
        ("frames ahead", model.ahead),
        ("positions", model.positions),
        ("heads", model.heads),
        ("later levels see", "all frames" if model.nar_attention == "full" else "the past"),
        ("not used", ", ".join(bundle.kept.tensors) if bundle.kept else ""),
    ):
        click.echo(f"{fact:16} {value}")
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


def _sums(model: ModelConfig) -> str:
    if not model.embedding_sums:
        return "none, only the newest level"
    levels = "all levels except the newest" if model.legacy_sums else "all known levels"
    return levels if model.summed == "both" else f"{levels}, only in the {model.summed}"
