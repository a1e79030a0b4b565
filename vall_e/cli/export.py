"""`vall-e export`: a trained model in another format."""

from __future__ import annotations

from pathlib import Path

import click

from vall_e.cli.app import App

DTYPES = ("fp32", "bf16", "fp16")


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, path_type=Path))
@click.option("--to", "target", default="safetensors", show_default=True, help="File format.")
@click.option(
    "--dtype", type=click.Choice(DTYPES), help="Of floating tensors. Default: as they are."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="Default: the name of the checkpoint, in the working directory.",
)  # fmt: skip
@click.pass_obj
def export(app: App, checkpoint: Path, target: str, dtype: str | None, output: Path | None) -> None:
    """Write the model of CHECKPOINT as one file.

    CHECKPOINT is a folder of checkpoints (its latest counts), one checkpoint, or a weights file.
    """
    component = app.registry.get("exporter", target)
    exporter = component.build(component.config())
    from vall_e.export.convert import export_weights

    path = export_weights(checkpoint, exporter, app.registry, dtype=dtype, output=output)
    click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
