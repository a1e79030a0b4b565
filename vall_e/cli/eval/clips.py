"""The clips that `vall-e eval` judges: from a list, decoded, or synthesized now."""

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
"""Called with each clip: the action, the total if known, and the clip."""


def items_of(app: App, options: EvalOptions, advance: Advance) -> Items:
    """The clips to judge and their inputs; synthesized or decoded first if necessary."""
    from vall_e.evaluation.clips import facts

    with _kept(options.output):
        items = _made(app, options, advance)
    files = {"texts": options.texts, "candidates": options.candidates}
    more = {name: facts(path) for name, path in files.items() if path}
    return evolve(items, inputs={**items.inputs, **more})


def lines_of(path: Path | None) -> list[str]:
    """The sentences of a file; without a file, none."""
    from vall_e.evaluation.clips import read_lines

    return read_lines(path) if path else []


def _made(app: App, options: EvalOptions, advance: Advance) -> Items:
    if options.texts:
        return _spoken(_synthesizer(app, options), options, advance)
    if options.data:
        return _decoded(app, options, options.data, advance)
    return _listed(options.table or Path(), options.count)


def _synthesizer(app: App, options: EvalOptions) -> Synthesizer:
    from vall_e.synthesis.load import LoadOptions, open_synthesizer

    load = LoadOptions(
        model=options.model,
        config=options.config,
        loras=options.loras,
        overrides=options.overrides,
        environ=app.environ,
        home=home(app),
        device=options.device,
    )
    return open_synthesizer(load, app.registry)


def _spoken(synthesizer: Synthesizer, options: EvalOptions, advance: Advance) -> Items:
    from vall_e.evaluation.generate_clips import orders, speak

    voices = options.voices or ((synthesizer.default_voice,) if synthesizer.default_voice else ())
    if not voices:
        raise click.UsageError("this model has no default voice: give one with --voice.")
    texts = lines_of(options.texts)[: options.count]
    wanted = orders(texts, voices, seed=options.seed, repeats=options.repeats)
    return speak(
        synthesizer, wanted, options.clips, on_clip=partial(advance, "spoken", len(wanted))
    )


def _decoded(app: App, options: EvalOptions, data: Path, advance: Advance) -> Items:
    from vall_e.config.load import load
    from vall_e.evaluation.resynthesis import resynthesize

    config = load(options.config, app.registry, overrides=options.overrides, environ=app.environ)
    codec = config.codec.build()
    on_clip = partial(advance, "decoded", None)
    levels = options.levels or (codec.levels,)
    return resynthesize(codec, data, levels, options.clips, count=options.count, on_clip=on_clip)


def _listed(table: Path, count: int | None) -> Items:
    from vall_e.evaluation.clips import read_list

    items = read_list(table)
    return evolve(items, items=items.items[:count])


@contextmanager
def _kept(output: Path | None) -> Iterator[None]:
    """If the user stops it, say that the clips are kept."""
    try:
        yield
    except KeyboardInterrupt:
        if output:
            click.echo(f"{output} keeps the clips; run the same command to continue.", err=True)
        raise
