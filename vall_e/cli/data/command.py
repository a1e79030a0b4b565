"""`vall-e data`: make datasets from recordings, and inspect both."""

from __future__ import annotations

import click

from vall_e.cli.data.convert import convert
from vall_e.cli.data.items import list_items, metadata, sample, validate
from vall_e.cli.data.process import process
from vall_e.cli.data.similar import similar
from vall_e.cli.data.stats import stats
from vall_e.cli.data.transcribe import transcribe


@click.group()
def data() -> None:
    """Make datasets from recordings."""


for command in (
    process, transcribe, stats, validate, list_items, sample, metadata, similar, convert,
):  # fmt: skip
    data.add_command(command)
