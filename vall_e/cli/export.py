"""`vall-e export`: a trained model in another format."""

from __future__ import annotations

from pathlib import Path

import click

from vall_e.cli.app import App
from vall_e.cli.option_groups import Explained

DTYPES = ("fp32", "bf16", "fp16")


EXAMPLES = (
    "vall-e export runs/mine -o mine.safetensors --dtype bf16",
    "vall-e export runs/mine --merge -o whole.safetensors",
    "vall-e export runs/mine --to hf -o mine-hf",
)


@click.command(cls=Explained, examples=EXAMPLES)
@click.argument("checkpoint", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--to",
    "target",
    metavar="FORMAT",
    help="One of those listed by `vall-e plugins list --kind exporter`.  [default: safetensors; "
    "lora for a LoRA that is not merged]",
)
@click.option("--merge", is_flag=True, help="Merge a LoRA into the model's weights.")
@click.option(
    "--dtype", type=click.Choice(DTYPES), help="Number format of the weights.  [default: unchanged]"
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path),
    help="[default: the name of the checkpoint, in the working directory]",
)  # fmt: skip
@click.pass_obj
def export(
    app: App,
    checkpoint: Path,
    target: str | None,
    merge: bool,
    dtype: str | None,
    output: Path | None,
) -> None:
    """Export the model of CHECKPOINT as one file.

    CHECKPOINT is a folder of checkpoints (the latest is used), one checkpoint, or a weights file.
    """
    from vall_e.export.merge_lora import holds_lora
    from vall_e.export.run_exporter import export_weights

    if target is None:
        target = "lora" if not merge and holds_lora(checkpoint, app.registry) else "safetensors"
    component = app.registry.get("exporter", target)
    exporter = component.build(component.config())
    path = export_weights(
        checkpoint, exporter, app.registry, dtype=dtype, output=output, merged=merge
    )
    files = path.iterdir() if path.is_dir() else [path]
    click.echo(f"{path}: {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
