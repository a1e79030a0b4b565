"""`vall-e eval`: judge clips, a codec, or a model with its voices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vall_e.cli.app import App
from vall_e.cli.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from vall_e.config.choices import JudgeChoice
    from vall_e.evaluation.items import Item, Items
    from vall_e.evaluation.panel import Panel
    from vall_e.evaluation.report import Report
    from vall_e.evaluation.statistics import Summary
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
def evaluate(ctx: click.Context, /, **given: Any) -> None:
    """Judge clips that a LIST names, what a codec decodes (--data), or what a model says (--texts).

    LIST is separated by tabs: path, and if known text, speaker, reference (a recording of the voice
    that is meant) and original (what a codec was given). What was spoken or decoded stays in the
    folder, and is not made again when the command is given again.
    """
    app: App = ctx.obj
    asked = Asked(**given)
    _check_usage(ctx, asked)
    _choices(asked.judges, app.registry)  # a misspelt name is told before the work
    _check_places(asked)
    more = _lines(asked.candidates) if asked.candidates else []
    items = _with_inputs(_items(app, asked), texts=asked.texts, candidates=asked.candidates)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    run = {"command": "vall-e eval", "options": _given(ctx), "time": began}
    with _bar(app.console) as advance:
        case = items.case(more, asked.seed)
        report = _judge(app, asked.judges, items, case, asked.workers, run, advance)
    _write(report, asked)
    _echo(report)


@frozen(kw_only=True)
class Asked:
    """What the command line says: a field for each argument and option."""

    table: Path | None
    data: Path | None
    levels: tuple[int, ...]
    texts: Path | None
    voices: tuple[str, ...]
    model: str | None
    count: int | None
    repeats: int
    seed: int
    config: Path | None
    overrides: tuple[str, ...]
    device: str | None
    judges: tuple[str, ...]
    candidates: Path | None
    output: Path | None
    json_file: Path | None
    html_file: Path | None
    workers: int

    @property
    def json_files(self) -> list[Path]:
        return _there(self.json_file, self.output and self.output / "report.json")

    @property
    def html_files(self) -> list[Path]:
        return _there(self.html_file, self.output and self.output / "report.html")


def _there(*paths: Path | None) -> list[Path]:
    return [path for path in paths if path]


def _check_usage(ctx: click.Context, asked: Asked) -> None:
    if sum(source is not None for source in (asked.table, asked.data, asked.texts)) != 1:
        raise click.UsageError("give one of LIST, --data and --texts.")
    if not asked.table and not asked.output:
        raise click.UsageError("name the folder of the clips with -o.")
    told = {p.name for p in ctx.command.params if p.name and ctx.get_parameter_source(p.name)
            is click.core.ParameterSource.COMMANDLINE}  # fmt: skip
    only = {
        "--texts": (asked.texts is not None, {"voices", "model", "repeats", "device"}),
        "--data": (asked.data is not None, {"levels"}),
        "--texts or --data": (not asked.table, {"config", "overrides"}),
    }
    for needed, (there, names) in only.items():
        for name in sorted(names & told):
            if not there:
                raise click.UsageError(f"--{_spelt(ctx, name)} goes with {needed}.")


def _check_places(asked: Asked) -> None:
    """Make the folder of the clips; raise `DataError` if a report would have no folder."""
    from vall_e.errors import DataError
    from vall_e.whole_file import make_folder

    if asked.output:
        make_folder(asked.output, error=DataError)
    for path in (*asked.json_files, *asked.html_files):
        if not path.parent.is_dir():
            raise DataError(
                f"{path} cannot be written: {path.parent} is not a folder",
                hint=f"make the folder {path.parent} first",
            )


def _items(app: App, asked: Asked) -> Items:
    """What to judge; spoken or decoded first, where that is asked."""
    with _kept(asked.output), _bar(app.console) as advance:
        if asked.texts:
            return _spoken(app, asked, _lines(asked.texts), advance)
        if asked.data:
            return _decoded(app, asked, asked.data, advance)
        return _listed(asked.table or Path(), asked.count)


def _write(report: Report, asked: Asked) -> None:
    from vall_e.evaluation.page import write_page

    for path in asked.json_files:
        report.write_json(path)
    for path in asked.html_files:
        write_page(report, path)


def _spelt(ctx: click.Context, name: str) -> str:
    return next(p.opts[-1].lstrip("-") for p in ctx.command.params if p.name == name)


def _spoken(app: App, asked: Asked, texts: Sequence[str], advance: Advance) -> Items:
    from vall_e.evaluation.speaking import orders, speak
    from vall_e.opening import open_synthesizer

    synthesizer = open_synthesizer(
        asked.model,
        asked.config,
        app.registry,
        overrides=asked.overrides,
        environ=app.environ,
        home=home(app),
        device=asked.device,
    )
    voices = asked.voices or ((synthesizer.usual_voice,) if synthesizer.usual_voice else ())
    if not voices:
        raise click.UsageError("this model has no usual voice: name one with --voice.")
    wanted = orders(texts[: asked.count], voices, seed=asked.seed, repeats=asked.repeats)
    on_clip = partial(advance, "spoken", len(wanted))
    return speak(synthesizer, wanted, _clips(asked), on_clip=on_clip)


def _decoded(app: App, asked: Asked, data: Path, advance: Advance) -> Items:
    from vall_e.config.load import load
    from vall_e.evaluation.resynthesis import resynthesize

    config = load(asked.config, app.registry, overrides=asked.overrides, environ=app.environ)
    codec = config.codec.build()
    return resynthesize(
        codec,
        data,
        asked.levels or (codec.levels,),
        _clips(asked),
        count=asked.count,
        on_clip=partial(advance, "decoded", None),
    )


def _clips(asked: Asked) -> Path:
    return (asked.output or Path()) / "clips"


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
    from vall_e.config.choices import JudgeChoice
    from vall_e.config.choosing import choose

    names = names or registry.names("judge")
    return [choose(name, JudgeChoice, registry, source="--judge") for name in names]


def _given(ctx: click.Context) -> dict[str, Any]:
    """The options that were given, as JSON can hold them."""
    return {
        name: [str(part) for part in value] if isinstance(value, tuple) else str(value)
        for name, value in sorted(ctx.params.items())
        if value not in (None, ())
    }


def _echo(report: Report) -> None:
    for label, found in report.columns:
        click.echo(f"{label}:")
        for name, summary in found.items():
            if summary.value is not None:
                click.echo(f"  {name:18} {_figure(summary)}")
    for remark in report.remarks:
        click.echo(f"Mind: {remark}", err=True)
    for name, reason in report.unavailable.items():
        click.echo(f"Not judged by {name}: {reason}", err=True)
    if report.problems:
        many, first = len(report.problems), report.problems[0]
        click.echo(f"Left out, for they cannot be heard: {many}; the first: {first}", err=True)


def _figure(summary: Summary) -> str:
    around = "  [{:.3f}, {:.3f}]".format(*summary.interval) if summary.interval else ""
    return f"{summary.value:9.3f}{around:20}  n {summary.clips}"


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
