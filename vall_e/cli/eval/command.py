"""`vall-e eval`: judge clips, a codec, or a model with its voices."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict, frozen
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vall_e.cli.app import App
from vall_e.cli.eval.clips import Advance, items_of, lines_of
from vall_e.cli.eval.options import EvalOptions
from vall_e.cli.option_groups import Explained, grouped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from vall_e.config.choices import JudgeChoice
    from vall_e.evaluation.clips import EvalClip, Items
    from vall_e.evaluation.judge_panel import Panel
    from vall_e.evaluation.report import EvalReport
    from vall_e.evaluation.statistics import Summary
    from vall_e.interfaces.judge import Case
    from vall_e.registry import Registry


SECTIONS = {
    "What to judge, if not a LIST of clips": ("texts", "voices", "data", "levels"),
    "The model or codec": ("model", "loras", "config", "overrides", "device"),
    "How": ("judges", "candidates", "count", "repeats", "seed", "workers"),
    "The report": ("output", "json_file", "html_file"),
}
EXAMPLES = (
    "vall-e eval --texts sentences.txt --voice kathleen --voice me.wav -o report",
    "vall-e eval --data recordings/ --levels 4 --levels 8 -o decoded",
    "vall-e eval clips.tsv --json report.json --html report.html",
)


@click.command("eval", cls=Explained, sections=SECTIONS, examples=EXAMPLES)
@grouped(options=EvalOptions)
@click.pass_context
def evaluate(ctx: click.Context, options: EvalOptions) -> None:
    """Judge clips of a LIST, decoded recordings (--data), or the speech of a model (--texts).

    LIST is a tab-separated table with a header: path and, if known, text, speaker, reference (a
    recording of the intended voice) and original (the input of the codec). Synthesized or decoded
    clips are kept in the folder and reused next time.
    """
    app: App = ctx.obj
    options.check_usage(ctx)
    _choices(options.judges, app.registry)  # reports a misspelled name before the work
    options.check_places()
    more = lines_of(options.candidates)
    with _bar(app.console) as advance:
        items = items_of(app, options, advance)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    run = {"command": "vall-e eval", "options": _options(options), "time": began}
    with _bar(app.console) as advance:
        panels = _Panels(options.judges, app, items.case(more, options.seed))
        report = _judge(panels, items, options.workers, run, advance)
    _write(report, options)
    _echo(report)


def _write(report: EvalReport, options: EvalOptions) -> None:
    from vall_e.evaluation.page import write_page

    for path in options.json_files:
        report.write_json(path)
    for path in options.html_files:
        write_page(report, path)


@frozen
class _Panels:
    """Makes a panel of judges: in this process, and in each worker process."""

    names: Sequence[str]
    app: App
    case: Case

    def make(self) -> Panel:
        from vall_e.evaluation.judge_panel import Panel

        choices = _choices(self.names, self.app.registry)
        return Panel.of(choices, self.case, all_of_them=bool(self.names))


def _make_elsewhere(
    names: Sequence[str], environ: Mapping[str, str], load_plugins: bool, case: Case
) -> Panel:
    """Called in a worker process, which finds the components by itself."""
    return _Panels(names, App(environ=environ, load_plugins=load_plugins), case).make()


def _judge(
    panels: _Panels, items: Items, workers: int, run: Mapping[str, Any], advance: Advance
) -> EvalReport:
    from vall_e.evaluation.judge_panel import judge_all
    from vall_e.evaluation.report import EvalReport

    app, panel, many = panels.app, panels.make(), len(items.items)
    make = partial(_make_elsewhere, panels.names, dict(app.environ), app.load_plugins, panels.case)
    judged = judge_all(
        items.items,
        panel,
        make,
        workers=workers,
        on_judged=lambda one: advance("judged", many, one.item),
    )
    return EvalReport.of(items, judged, panel, seed=panels.case.seed, run=run)


def _choices(names: Sequence[str], registry: Registry) -> list[JudgeChoice]:
    from vall_e.config.choices import JudgeChoice
    from vall_e.config.component_option import choose

    names = names or registry.names("judge")
    return [choose(name, JudgeChoice, registry, source="--judge") for name in names]


def _options(options: EvalOptions) -> dict[str, Any]:
    """The options on the command line, as JSON data."""
    return {
        name: [str(part) for part in value] if isinstance(value, tuple) else str(value)
        for name, value in sorted(asdict(options, recurse=False).items())
        if value not in (None, ())
    }


def _echo(report: EvalReport) -> None:
    """Print the figures on stdout, and remarks on stderr."""
    for label, found in report.columns:
        click.echo(f"{label}:")
        for name, summary in found.items():
            if summary.value is not None:
                click.echo(f"  {name:18} {_figure(summary)}")
    for line in _mind(report):
        click.echo(line, err=True)


def _mind(report: EvalReport) -> Iterator[str]:
    yield from (f"Note: {remark}" for remark in report.remarks)
    for name, reason in report.unavailable.items():
        yield f"Not judged by {name}: {reason}"
    for name, reason in report.failures.items():
        yield f"The judge {name} {reason}"
    if report.problems:
        many, first = len(report.problems), report.problems[0]
        yield f"Left out, because they cannot be read: {many}; the first: {first}"


def _figure(summary: Summary) -> str:
    around = "  [{:.3f}, {:.3f}]".format(*summary.interval) if summary.interval else ""
    return f"{summary.value:9.3f}{around:20}  n {summary.clips}"


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

    def _advance(self, what: str, total: int | None, _: EvalClip) -> None:
        self._progress.update(self._task, description=what, total=total, advance=1)


def _bar(console: Console) -> AbstractContextManager[Advance]:
    return _Bar(console) if console.is_terminal else nullcontext(lambda *_: None)
