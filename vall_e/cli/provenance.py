"""`vall-e provenance`: what a file states of how it was made, and marks in its audio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vall_e.cli.app import App
from vall_e.cli.option_groups import Explained
from vall_e.errors import DownloadError, UnavailableError

if TYPE_CHECKING:
    from vall_e.audio.clip import Clip
    from vall_e.registry import Registry


@click.command(cls=Explained, examples=("vall-e provenance hello.wav",))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def provenance(app: App, file: Path, as_json: bool) -> None:
    """Show how FILE was made: its tags, and watermarks in its audio.

    Tags can be removed or changed by anybody. Watermarks are those of installed plugins, such as
    vall-e-watermark-perth.
    """
    from vall_e.audio.clip import Clip
    from vall_e.synthesis.result import provenance_in

    tags = provenance_in(file)
    marks, unavailable = _marks(Clip.read(file).mono(), app.registry)
    if as_json:
        found = {"tags": tags, "marks": marks, "unavailable": unavailable}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo("Tags: synthetic speech, made by vall-e" if tags else "Tags: none of vall-e")
    for key, value in (tags or {}).items():
        click.echo(f"  {key}: {value if isinstance(value, str) else json.dumps(value)}")
    for name, mark in marks.items():
        click.echo(f"Watermark {name}: {mark or 'none'}")
    for name, reason in unavailable.items():
        click.echo(f"Watermark {name}: not looked for: {reason}")
    if not marks and not unavailable:
        click.echo("Watermarks: not looked for: no installed component finds any")


def _marks(clip: Clip, registry: Registry) -> tuple[dict[str, Any], dict[str, str]]:
    """What each installed effect that leaves a mark finds; and why others cannot look."""
    from vall_e.interfaces.audio_effect import Detecting

    marks: dict[str, Any] = {}
    unavailable: dict[str, str] = {}
    for name in registry.names("audio-effect"):
        component = registry.get("audio-effect", name)
        try:
            effect = component.build(component.config())
        except (UnavailableError, DownloadError) as exc:
            unavailable[name] = exc.message
            continue
        if isinstance(effect, Detecting):
            marks[name] = effect.detect(clip.samples, clip.sample_rate)
    return marks, unavailable
