"""`vall-e voices`: the voices available as `--voice NAME`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vall_e.cli.app import App
from vall_e.cli.voices_home import voices_of
from vall_e.synthesis.voice_library import VoiceEntry

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def voices() -> None:
    """List, add and remove voices.

    Added voices are kept in the folder given by VALL_E_HOME, or the platform's default.
    """


@voices.command("list")
@as_json
@click.pass_obj
def list_voices(app: App, as_json: bool) -> None:
    """List the names that can be used with --voice."""
    entries = voices_of(app).entries()
    if as_json:
        click.echo(json.dumps([entry.to_json() for entry in entries], indent=2))
        return
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        facts = (entry.speaker, entry.licence)
        more = "".join(f"  {fact}" for fact in facts if fact)
        click.echo(f"{entry.name:{width}}  {entry.origin:8}{more}")
    if not entries:
        click.echo("There are no voices yet: vall-e voices add NAME RECORDING", err=True)


@voices.command()
@click.argument("name")
@click.argument("recording", type=existing_file)
@click.option("--text", default="", help="Transcript of the recording.")
@click.option("--licence", default="", help="Licence of the recording.")
@click.option("--consent", default="", help="Who permitted the use of the voice, and for what.")
@click.option("--replace", is_flag=True, help="Replace an existing voice with this name.")
@click.pass_obj
def add(
    app: App, name: str, recording: Path, text: str, licence: str, consent: str, replace: bool
) -> None:
    """Save a copy of RECORDING as voice NAME; its first 30 seconds are enough.

    Only add the voice of a person who has agreed to it.
    """
    entry = voices_of(app).add(
        name, recording, text=text, licence=licence, consent=consent, replace=replace
    )
    click.echo(f"{entry.name}: {entry.path}")


@voices.command()
@click.argument("name")
@click.pass_obj
def remove(app: App, name: str) -> None:
    """Delete an added voice."""
    entry = voices_of(app).remove(name)
    click.echo(f"removed {entry.name}")


@voices.command()
@click.argument("name")
@as_json
@click.pass_obj
def show(app: App, name: str, as_json: bool) -> None:
    """Show all details of a voice."""
    entry = voices_of(app).get(name)
    if as_json:
        click.echo(json.dumps(entry.to_json(), indent=2, ensure_ascii=False))
    else:
        _echo(entry)


def _echo(entry: VoiceEntry) -> None:
    for key, value in entry.to_json().items():
        if value:
            click.echo(f"{key:8} {value}")
