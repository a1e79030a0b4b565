"""`vall-e eval`: judge clips, a codec, or a model with its voices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vall_e.cli.app import App
from vall_e.cli.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from vall_e.config.schema import JudgeChoice
    from vall_e.evaluation.items import Item, Items
    from vall_e.evaluation.panel import Panel
    from vall_e.evaluation.report import Report
    from vall_e.judging import Case
    from vall_e.registry import Registry

file = click.Path(exists=True, dir_okay=False, path_type=Path)
new_file = click.Path(dir_okay=False, path_type=Path)
count = click.IntRange(min=1)


@click.command("eval")
@click.argument("table", metavar="[LIST]", required=False, type=file)
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    help="Judge a codec: a dataset, a folder of recordings, or a table of them.",
)
@click.option("--levels", type=count, multiple=True, help="Decode so many; may be repeated.")
@click.option("--texts", type=file, help="Judge a model: it says these sentences, one a line.")
@click.option("--voice", "voices", metavar="FILE|NAME", multiple=True, help="May be repeated.")
@click.option("-m", "--model", metavar="FILE|NAME", help="Else the one that is built in.")
@click.option("-n", "--count", type=count, help="Only the first so many texts or recordings.")
@click.option(
    "--repeats", type=count, default=1, show_default=True, help="Each text so often, by new seeds."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("-c", "--config", type=file, help="YAML file of options.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override an option.")
@click.option("--device", help="To speak on: auto, cpu, cuda, cuda:1, mps.")
@click.option(
    "--judge",
    "judges",
    metavar="NAME",
    multiple=True,
    help="May be repeated; with options: '{name: pesq, band: nb}'. Default: all that can judge "
    "here; `vall-e plugins list --kind judge` lists them.",
)
@click.option("--candidates", type=file, help="More sentences to choose among, one a line.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of clips, report.json and report.html; needed to speak or decode.",
)
@click.option("--json", "json_file", type=new_file, help="Write the report here too.")
@click.option("--html", "html_file", type=new_file, help="Write the page here too.")
@click.option(
    "--workers", type=click.IntRange(min=0), default=0, show_default=True,
    help="Processes that judge; 0 judges in this one.",
)  # fmt: skip
@click.pass_context
def evaluate(
    ctx: click.Context,
    table: Path | None,
    data: Path | None,
    levels: tuple[int, ...],
    texts: Path | None,
    voices: tuple[str, ...],
    model: str | None,
    count: int | None,
    repeats: int,
    seed: int,
    config: Path | None,
    overrides: tuple[str, ...],
    device: str | None,
    judges: tuple[str, ...],
    candidates: Path | None,
    output: Path | None,
    json_file: Path | None,
    html_file: Path | None,
    workers: int,
) -> None:
    """Judge clips that a LIST names, what a codec decodes (--data), or what a model says (--texts).

    LIST is separated by tabs: path, and if known text, speaker, reference (a recording of the voice
    that is meant) and original (what a codec was given). What was spoken or decoded stays in the
    folder, and is not made again when the command is given again.
    """
    app: App = ctx.obj
    _check_usage(ctx)
    _choices(judges, app.registry)  # a misspelt name is told before the work
    if output:
        _make_folder(output)
    more = _lines(candidates) if candidates else []
    with _kept(output), _bar(app.console) as advance:
        if texts:
            items = _spoken(app, ctx.params, _lines(texts), output or Path(), advance)
        elif data:
            items = _decoded(app, ctx.params, output or Path(), advance)
        else:
            items = _listed(table or Path(), count)
    items = _with_inputs(items, texts=texts, candidates=candidates)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    run = {"command": "vall-e eval", "options": _given(ctx), "time": began}
    with _bar(app.console) as advance:
        report = _judge(app, judges, items, items.case(more, seed), workers, run, advance)
    for path in (json_file, output and output / "report.json"):
        if path:
            report.write_json(path)
    for path in (html_file, output and output / "report.html"):
        if path:
            _write_page(report, path)
    _echo(report)


def _check_usage(ctx: click.Context) -> None:
    given = ctx.params
    if sum(given[name] is not None for name in ("table", "data", "texts")) != 1:
        raise click.UsageError("give one of LIST, --data and --texts.")
    speaks = given["texts"] is not None
    if (speaks or given["data"]) and not given["output"]:
        raise click.UsageError("name the folder of the clips with -o.")
    told = {p.name for p in ctx.command.params if p.name and ctx.get_parameter_source(p.name)
            is click.core.ParameterSource.COMMANDLINE}  # fmt: skip
    only = {
        "--texts": (speaks, {"voices", "model", "repeats", "device"}),
        "--data": (given["data"] is not None, {"levels"}),
        "--texts or --data": (not given["table"], {"config", "overrides"}),
    }
    for needed, (there, names) in only.items():
        for name in sorted(names & told):
            if not there:
                raise click.UsageError(f"--{_spelt(ctx, name)} goes with {needed}.")


def _spelt(ctx: click.Context, name: str) -> str:
    return next(p.opts[-1].lstrip("-") for p in ctx.command.params if p.name == name)


def _spoken(
    app: App, given: Mapping[str, Any], texts: Sequence[str], output: Path, advance: Advance
) -> Items:
    from vall_e.evaluation.speaking import orders, speak
    from vall_e.opening import open_synthesizer

    synthesizer = open_synthesizer(
        given["model"],
        given["config"],
        app.registry,
        overrides=given["overrides"],
        environ=app.environ,
        home=home(app),
        device=given["device"],
    )
    voices = given["voices"] or ((synthesizer.usual_voice,) if synthesizer.usual_voice else ())
    if not voices:
        raise click.UsageError("this model has no usual voice: name one with --voice.")
    wanted = orders(texts[: given["count"]], voices, seed=given["seed"], repeats=given["repeats"])
    return speak(
        synthesizer, wanted, output / "clips", on_clip=partial(advance, "spoken", len(wanted))
    )


def _decoded(app: App, given: Mapping[str, Any], output: Path, advance: Advance) -> Items:
    from vall_e.config.load import load
    from vall_e.evaluation.resynthesis import resynthesize

    config = load(given["config"], app.registry, overrides=given["overrides"], environ=app.environ)
    codec = config.codec.build()
    return resynthesize(
        codec,
        given["data"],
        given["levels"] or (codec.levels,),
        output / "clips",
        count=given["count"],
        on_clip=partial(advance, "decoded", None),
    )


def _listed(table: Path, count: int | None) -> Items:
    from attrs import evolve

    from vall_e.evaluation.items import read_list

    items = read_list(table)
    return evolve(items, items=items.items[:count])


def _lines(path: Path) -> list[str]:
    from vall_e.evaluation.items import read_lines

    return read_lines(path)


def _with_inputs(items: Items, **files: Path | None) -> Items:
    from attrs import evolve

    from vall_e.evaluation.items import facts

    more = {name: facts(path) for name, path in files.items() if path}
    return evolve(items, inputs={**items.inputs, **more})


def _judge(
    app: App,
    names: Sequence[str],
    items: Items,
    case: Case,
    workers: int,
    run: Mapping[str, Any],
    advance: Advance,
) -> Report:
    from vall_e.evaluation.panel import judge_all
    from vall_e.evaluation.report import Report

    panel, judged = _panel(names, app.registry, case), []
    make = partial(_panel_of_worker, names, dict(app.environ), app.load_plugins, case)
    for one in judge_all(items.items, panel, make, workers=workers):
        judged.append(one)
        advance("judged", len(items.items), one.item)
    return Report.of(items, judged, panel, seed=case.seed, run=run)


def _make_folder(folder: Path) -> None:
    from vall_e.errors import DataError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise DataError(
            f"the folder {folder} cannot be made: {exc.strerror}", hint="name another with -o"
        ) from exc


def _panel(names: Sequence[str], registry: Registry, case: Case) -> Panel:
    from vall_e.evaluation.panel import Panel

    return Panel.of(_choices(names, registry), case, all_of_them=bool(names))


def _panel_of_worker(
    names: Sequence[str], environ: Mapping[str, str], load_plugins: bool, case: Case
) -> Panel:
    """The panel of another process, which finds the components for itself."""
    app = App(environ=environ, load_plugins=load_plugins)
    return _panel(names, app.registry, case)


def _choices(names: Sequence[str], registry: Registry) -> list[JudgeChoice]:
    from vall_e.config.choice import choose
    from vall_e.config.schema import JudgeChoice

    names = names or registry.names("judge")
    return [choose(name, JudgeChoice, registry, source="--judge") for name in names]


def _write_page(report: Report, path: Path) -> None:
    from vall_e.evaluation.page import write_page

    write_page(report, path)


def _given(ctx: click.Context) -> dict[str, Any]:
    """The options that were given, as JSON can hold them."""
    return {
        name: [str(part) for part in value] if isinstance(value, tuple) else str(value)
        for name, value in sorted(ctx.params.items())
        if value not in (None, ())
    }


def _echo(report: Report) -> None:
    for group, found in report.summaries.items():
        click.echo(f"{group}:")
        for name, summary in found.items():
            if summary.value is None:
                continue
            low, high = summary.interval or (None, None)
            around = f"  [{low:.3f}, {high:.3f}]" if low is not None else ""
            click.echo(f"  {name:18} {summary.value:9.3f}{around:20}  n {summary.clips}")
    for remark in report.remarks:
        click.echo(f"Mind: {remark}", err=True)
    for name, reason in report.unavailable.items():
        click.echo(f"Not judged by {name}: {reason}", err=True)


Advance = Callable[[str, int | None, "Item"], None]


class _Bar:
    """A progress bar on a terminal."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Advance:
        self._progress.start()
        return self._advance

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _advance(self, what: str, total: int | None, _: Item) -> None:
        self._progress.update(self._task, description=what, total=total, advance=1)


@contextmanager
def _kept(output: Path | None) -> Iterator[None]:
    """Tell who stops it that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        if output:
            click.echo(f"{output} keeps the clips; the same command goes on.", err=True)
        raise


def _bar(console: Console) -> AbstractContextManager[Advance]:
    return _Bar(console) if console.is_terminal else nullcontext(lambda *_: None)
