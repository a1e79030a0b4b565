"""`vall-e models`: files of models that others have trained."""

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
    help="File to write, with the suffix .safetensors.",
)  # fmt: skip
@click.option("--config", type=existing_file, help="Its YAML or JSON.  [default: in it, beside it]")
@click.option(
    "--tokenizer", type=existing_file, help="Its tokenizer.json.  [default: beside it, in it]"
)
@click.option(
    "--sums", type=click.Choice(["auto", "legacy", "whole"]), default="auto", show_default=True,
    help="Whether sums of levels leave out the newest, as until March 2025 (legacy).",
)  # fmt: skip
@click.pass_obj
def convert(
    app: App, source: Path, output: Path, config: Path | None, tokenizer: Path | None, sums: str
) -> None:
    """Make a weights file of SOURCE, an .sft, .safetensors or .pth of e-c-k-e-r/vall-e.

    What SOURCE holds besides the model is kept, for `vall-e export --to ecker`. A LoRA becomes a
    LoRA.
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
        return "none, the newest level alone"
    levels = "all levels but the newest" if model.legacy_sums else "all known levels"
    return levels if model.summed == "both" else f"{levels}, of the {model.summed} alone"
