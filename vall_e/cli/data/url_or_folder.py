"""Folders on this machine or in object storage."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from vall_e.cli.app import App
from vall_e.cli.voices_home import home


class FolderOrUrl(click.ParamType[Path | str]):
    """A folder as a `Path`, or a URL as text."""

    name = "folder"

    def __init__(self, *, exists: bool = False) -> None:
        self.folder = click.Path(exists=exists, file_okay=False, path_type=Path)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | str:
        from vall_e.data.ingest.object_storage import is_url

        if isinstance(value, str) and is_url(value):
            return value
        found = self.folder.convert(value, param, ctx)
        return Path(str(found))


@frozen
class DatasetTarget:
    """A dataset is made in `folder`, and uploaded at the end if its destination is a URL."""

    folder: Path
    url: str = ""

    def __str__(self) -> str:
        return self.url or str(self.folder)

    def below(self, name: str) -> DatasetTarget:
        """A dataset inside this one."""
        return DatasetTarget(self.folder / name, f"{self.url}/{name}" if self.url else "")

    def publish(self) -> None:
        from vall_e.data.ingest.object_storage import publish

        if self.url:
            publish(self.folder, self.url)


def target_of(app: App, place: Path | str, work: Path | None) -> DatasetTarget:
    """For a URL, its dataset is downloaded first, unless an interrupted run left a local copy."""
    if isinstance(place, Path):
        if work:
            raise click.UsageError(f"--work needs an -o that is a URL, which {place} is not.")
        return DatasetTarget(place)
    from vall_e.data.ingest.object_storage import begin

    name = hashlib.sha256(place.encode()).hexdigest()[:16]
    folder = work or home(app) / "work" / name
    begin(place, folder)
    return DatasetTarget(folder, place)
