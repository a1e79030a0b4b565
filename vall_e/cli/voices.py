"""`vall-e voices`: the voices that `--voice NAME` finds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vall_e.cli.app import App
from vall_e.cli.voices_home import voices_of
from vall_e.synthesis.voice_library import VoiceEntry

as_json = click.option("--json", "as_json", is_flag=True, help="For programs, on stdout.")
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def voices() -> None:
    """List, add and remove voices.

    Added voices are kept in the folder that VALL_E_HOME names, else in the platform's own.
    """


@voices.command("list")
@as_json
@click.pass_obj
def list_voices(app: App, as_json: bool) -> None:
    """List the names that --voice knows."""
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
@click.option("--text", default="", help="What the recording says.")
@click.option("--licence", default="", help="Of the recording.")
@click.option("--consent", default="", help="Who allowed the voice to be used, and for what.")
@click.option("--replace", is_flag=True, help="Take the place of a voice of that name.")
@click.pass_obj
def add(
    app: App, name: str, recording: Path, text: str, licence: str, consent: str, replace: bool
) -> None:
    """Keep a copy of RECORDING as voice NAME; its first 30 seconds are enough.

    Only add the voice of somebody who has agreed to it.
    """
    entry = voices_of(app).add(
        name, recording, text=text, licence=licence, consent=consent, replace=replace
    )
    click.echo(f"{entry.name}: {entry.path}")


@voices.command()
@click.argument("name")
@click.pass_obj
def remove(app: App, name: str) -> None:
    """Delete a voice that was added."""
    entry = voices_of(app).remove(name)
    click.echo(f"removed {entry.name}")


@voices.command()
@click.argument("name")
@as_json
@click.pass_obj
def show(app: App, name: str, as_json: bool) -> None:
    """Tell all that is known about a voice."""
    entry = voices_of(app).get(name)
    if as_json:
        click.echo(json.dumps(entry.to_json(), indent=2, ensure_ascii=False))
    else:
        _echo(entry)


def _echo(entry: VoiceEntry) -> None:
    for key, value in entry.to_json().items():
        if value:
            click.echo(f"{key:8} {value}")
