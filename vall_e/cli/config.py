"""`vall-e config`: create, check and show the YAML file of a run. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.atomic_write import write_atomically
from vall_e.cli.app import App
from vall_e.config.json_schema import json_schema
from vall_e.config.load import change, load, structure
from vall_e.config.structure import unstructure
from vall_e.config.template import flat, starter, with_origins
from vall_e.errors import ConfigError
from vall_e.weights.speaking_options import load_run

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig
    from vall_e.registry import Registry

config_file = click.Path(dir_okay=False, path_type=Path)
overrides_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set an option, overriding the file, as in training.seed=7; may be repeated.",
)


@click.group()
def config() -> None:
    """Create, check and show YAML files."""


@config.command()
@click.argument("path", metavar="[CONFIG]", type=config_file, required=False)
@overrides_option
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option("--origin/--no-origin", default=True, help="Show where each value comes from.")
@click.pass_obj
def show(
    app: App, path: Path | None, overrides: tuple[str, ...], as_json: bool, origin: bool
) -> None:
    """Show every value of CONFIG, or of the defaults, with its origin."""
    loaded = load_run(path, app.registry, overrides=overrides, environ=app.environ)
    raw = unstructure(loaded.config)
    if not as_json:
        text = with_origins(loaded.config, loaded.origin if origin else lambda _: "")
        click.echo(text, nl=False)
    elif origin:
        values = {
            ".".join(where): {"value": value, "origin": str(loaded.origin(where))}
            for where, value in flat(raw)
        }
        click.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        click.echo(json.dumps(raw, indent=2, ensure_ascii=False))


@config.command()
@click.argument("path", metavar="CONFIG", type=config_file)
@overrides_option
@click.option(
    "--for", "target", metavar="FORMAT",
    help="Also report what this export format will refuse; `vall-e plugins list --kind exporter` "
    "lists them.",
)  # fmt: skip
@click.pass_obj
def validate(app: App, path: Path, overrides: tuple[str, ...], target: str | None) -> None:
    """Report all mistakes in CONFIG."""
    config = load(path, app.registry, overrides=overrides, environ=app.environ)
    if target is not None:
        _check_export(config, target, app.registry)
    click.echo(f"{path}: no mistakes found")


def _check_export(config: RunConfig, target: str, registry: Registry) -> None:
    """Raise `CheckpointError` if the format refuses the model that the config will train."""
    from vall_e.interfaces.export import ChecksConfig

    component = registry.get("exporter", target)
    exporter = component.build(component.config())
    if isinstance(exporter, ChecksConfig):
        exporter.check(config)
    else:
        click.echo(f"{target} says only after training what it refuses", err=True)


@config.command()
@click.pass_obj
def schema(app: App) -> None:
    """Write the JSON Schema of CONFIG files, with the options of every installed plugin."""
    click.echo(json.dumps(json_schema(app.registry), indent=2, ensure_ascii=False))


@config.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default="run.yaml",
    show_default=True,
    help="Output file; - is stdout.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@overrides_option
@click.pass_obj
def init(app: App, output: Path, force: bool, overrides: tuple[str, ...]) -> None:
    """Write a file with every option, its default and its meaning."""
    defaults = structure({}, app.registry, source="defaults")
    text = starter(change(defaults, app.registry, overrides=overrides), app.registry)
    if str(output) == "-":
        click.echo(text, nl=False)
        return
    if output.exists() and not force:
        raise ConfigError(f"{output} exists already", hint="give --force, or another -o FILE")
    write_atomically(output, text.encode(), error=ConfigError)
    click.echo(f"{output}: all options with their defaults")
