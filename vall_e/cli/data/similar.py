"""`vall-e data similar`: find similar utterances of each speaker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.finite_range import FiniteRange
from vall_e.cli.terminal.progress_bar import bar
from vall_e.errors import ConfigError

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig
    from vall_e.data.inspect.similarity_vectors import Feature
    from vall_e.interfaces.store import Stored

EMBEDDER = "resemblyzer"
file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("source", metavar="DATASET", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--by", type=click.Choice(["codes", "mfcc", "voice", "model", "text"]), default="codes",
    show_default=True,
    help="What to compare: the codec's vectors of codes, cepstra, an embedder's vectors, a "
    "model's vectors of codes (-m), or phonemes.",
)  # fmt: skip
@click.option(
    "-k",
    "count",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Number to list for each.",
)
@click.option(
    "--offset", type=click.IntRange(0), default=0, help="Leave out this many of the most similar."
)
@click.option(
    "--top-p", type=FiniteRange(0, 1, min_open=True), default=1.0,
    help="Keep only the fewest whose positive cosines add up to this share of the total.",
)  # fmt: skip
@click.option("--across", is_flag=True, help="Compare utterances of all speakers.")
@click.option("--embedder", metavar="NAME", help=f"For --by voice. Default: {EMBEDDER}.")
@click.option("-m", "--model", type=click.Path(exists=True, path_type=Path), help="For --by model.")
@click.option("-c", "--config", type=file, help="YAML file with the dataset's codec.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@click.pass_obj
def similar(
    app: App,
    source: Path,
    by: str,
    count: int,
    offset: int,
    top_p: float,
    across: bool,
    embedder: str | None,
    model: Path | None,
    config: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Write the most similar utterances of each to similar.jsonl, in DATASET or next to the file.

    One line each: {"id": ..., "similar": [[id, cosine], ...]}, the most similar first.
    """
    from vall_e.config.load import load
    from vall_e.data.dataset.open import info_of, open_stored
    from vall_e.data.dataset.similar_file import similar_path, write_similar
    from vall_e.data.inspect.similar import Nearest, neighbours_of, vectors_of

    _require_used(by, model, embedder)
    nearest = Nearest(count, offset, top_p)
    options = load(config, app.registry, overrides=overrides, environ=app.environ)
    assumed = info_of(options) if config or overrides else None
    dataset = open_stored(source, app.registry, assumed=assumed)
    feature = _feature(by, app, dataset, options, model, embedder)
    with bar(app.console, len(dataset.entries), "utterances") as advance:
        vectors = vectors_of(dataset.entries, feature, on_item=advance)
    found = neighbours_of(dataset.entries, vectors, nearest, across=across)
    write_similar(source, found)
    pairs = sum(map(len, found.values()))
    click.echo(f"{similar_path(source)}: {len(found)} utterances, {pairs} similar ones")


def _require_used(by: str, model: Path | None, embedder: str | None) -> None:
    for option, given, needed in (("-m", model, "model"), ("--embedder", embedder, "voice")):
        if given is not None and by != needed:
            raise click.UsageError(f"{option} needs --by {needed}, not --by {by}.")


def _feature(
    by: str,
    app: App,
    dataset: Stored,
    options: RunConfig,
    model: Path | None,
    embedder: str | None,
) -> Feature:
    from vall_e.data.inspect import similarity_vectors

    if by == "text":
        return similarity_vectors.by_text
    if by == "model":
        return _of_model(app, dataset, model)
    codec = similarity_vectors.same_codec(dataset, options.codec.build())
    if by == "codes":
        return similarity_vectors.by_codes(dataset, codec)
    if by == "mfcc":
        return similarity_vectors.by_mfcc(dataset, codec)
    from vall_e.config.choices import EmbedderChoice
    from vall_e.config.component_option import choose

    choice = choose(embedder or EMBEDDER, EmbedderChoice, app.registry, source="--embedder")
    return similarity_vectors.by_voice(dataset, codec, choice.build())


def _of_model(app: App, dataset: Stored, model: Path | None) -> Feature:
    from vall_e.data.inspect.similarity_vectors import by_model
    from vall_e.weights.file import load
    from vall_e.weights.locate import find_weights

    if model is None:
        raise ConfigError(
            "--by model needs a model", hint="add -m with weights or a training folder"
        )
    return by_model(dataset, load(find_weights(model), app.registry))
