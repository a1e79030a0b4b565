"""Options shared by the commands that inspect a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vall_e.cli.app import App
    from vall_e.data.inspect.stats import Survey
    from vall_e.text.vocabulary import Vocabulary

folder = click.Path(exists=True, path_type=Path)
file = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.argument("source", metavar="FOLDER", type=folder)
TRANSCRIPTS = click.option("--transcripts", type=file, help="Table, as for `data process`.")
MODEL = click.option(
    "-m", "--model", type=click.Path(exists=True, path_type=Path),
    help="Weights or training folder: report symbols that its vocabulary lacks.",
)  # fmt: skip
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def survey_at(app: App, source: Path, transcripts: Path | None) -> Survey:
    """Statistics of a dataset in any store, or of a folder of recordings."""
    from vall_e.data.dataset.manifest import INFO
    from vall_e.data.dataset.open import open_stored
    from vall_e.data.inspect.stats import survey, survey_of

    if transcripts and (source.is_file() or (source / INFO).exists()):
        raise click.UsageError(
            f"--transcripts is for recordings, but {source} is a dataset: leave it out"
        )
    if source.is_file():
        return survey_of(open_stored(source, app.registry).entries, source)
    return survey(source, transcripts=transcripts)


def vocabulary_of(model: Path) -> Vocabulary:
    """The vocabulary of weights or of a training folder."""
    from vall_e.text.vocabulary import Vocabulary
    from vall_e.weights.locate import find_weights
    from vall_e.weights.metadata import read_metadata

    return Vocabulary.from_json(read_metadata(find_weights(model))["vocabulary"])
