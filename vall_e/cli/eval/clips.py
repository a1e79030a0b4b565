"""The clips that `vall-e eval` judges: named by a list, decoded, or spoken now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve

from vall_e.cli.app import App
from vall_e.cli.eval.options import EvalOptions
from vall_e.cli.voices_home import home

if TYPE_CHECKING:
    from vall_e.evaluation.clips import EvalClip, Items
    from vall_e.synthesis.synthesizer import Synthesizer

Advance = Callable[[str, int | None, "EvalClip"], None]
"""Told of each clip: what is done to it, of how many, if known, and the clip."""


def items_of(app: App, asked: EvalOptions, advance: Advance) -> Items:
    """What to judge, and what it depends on; spoken or decoded first, where that is asked."""
    from vall_e.evaluation.clips import facts

    with _kept(asked.output):
        items = _made(app, asked, advance)
    files = {"texts": asked.texts, "candidates": asked.candidates}
    more = {name: facts(path) for name, path in files.items() if path}
    return evolve(items, inputs={**items.inputs, **more})


def lines_of(path: Path | None) -> list[str]:
    """The sentences of a file; of none, none."""
    from vall_e.evaluation.clips import read_lines

    return read_lines(path) if path else []


def _made(app: App, asked: EvalOptions, advance: Advance) -> Items:
    if asked.texts:
        return _spoken(_synthesizer(app, asked), asked, advance)
    if asked.data:
        return _decoded(app, asked, asked.data, advance)
    return _listed(asked.table or Path(), asked.count)


def _synthesizer(app: App, asked: EvalOptions) -> Synthesizer:
    from vall_e.synthesis.load import LoadOptions, open_synthesizer

    options = LoadOptions(
        model=asked.model,
        config=asked.config,
        overrides=asked.overrides,
        environ=app.environ,
        home=home(app),
        device=asked.device,
    )
    return open_synthesizer(options, app.registry)


def _spoken(synthesizer: Synthesizer, asked: EvalOptions, advance: Advance) -> Items:
    from vall_e.evaluation.generate_clips import orders, speak

    voices = asked.voices or ((synthesizer.default_voice,) if synthesizer.default_voice else ())
    if not voices:
        raise click.UsageError("this model has no usual voice: name one with --voice.")
    texts = lines_of(asked.texts)[: asked.count]
    wanted = orders(texts, voices, seed=asked.seed, repeats=asked.repeats)
    return speak(synthesizer, wanted, asked.clips, on_clip=partial(advance, "spoken", len(wanted)))


def _decoded(app: App, asked: EvalOptions, data: Path, advance: Advance) -> Items:
    from vall_e.config.load import load
    from vall_e.evaluation.resynthesis import resynthesize

    config = load(asked.config, app.registry, overrides=asked.overrides, environ=app.environ)
    codec = config.codec.build()
    on_clip = partial(advance, "decoded", None)
    levels = asked.levels or (codec.levels,)
    return resynthesize(codec, data, levels, asked.clips, count=asked.count, on_clip=on_clip)


def _listed(table: Path, count: int | None) -> Items:
    from vall_e.evaluation.clips import read_list

    items = read_list(table)
    return evolve(items, items=items.items[:count])


@contextmanager
def _kept(output: Path | None) -> Iterator[None]:
    """Tell who stops it that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        if output:
            click.echo(f"{output} keeps the clips; the same command goes on.", err=True)
        raise
