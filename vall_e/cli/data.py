"""`vall-e data`: recordings to datasets, and a look into both."""

from __future__ import annotations

import click

from vall_e.cli.data_convert import convert
from vall_e.cli.data_process import process
from vall_e.cli.similar import similar
from vall_e.cli.stats import stats
from vall_e.cli.survey import list_items, metadata, sample, validate
from vall_e.cli.transcribe import transcribe


@click.group()
def data() -> None:
    """Make datasets of recordings."""


for command in (
    process, transcribe, stats, validate, list_items, sample, metadata, similar, convert,
):  # fmt: skip
    data.add_command(command)
