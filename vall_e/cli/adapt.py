"""`vall-e adapt`: a LoRA of a model for a voice of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.option_groups import Explained
from vall_e.cli.training_view import stopping_signals, training_view

if TYPE_CHECKING:
    from vall_e.training.run import Run, RunCallbacks

EXAMPLES = (
    "vall-e adapt my-recordings/ -o me.lora",
    "vall-e adapt corpus/ --speaker ann -m mine.safetensors -o ann.lora",
)


@click.command(cls=Explained, examples=EXAMPLES)
@click.argument(
    "recordings",
    metavar="RECORDINGS",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="File of the LoRA. Beside it, the folder OUTPUT.work holds datasets, checkpoints, clips "
    "and report.html.",
)  # fmt: skip
@click.option(
    "-m", "--model", metavar="FILE|NAME",
    help="Weights, a training folder or an installed model.  [default: the built-in model]",
)  # fmt: skip
@click.option(
    "--transcripts", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table, as for `data process`.",
)  # fmt: skip
@click.option("--speaker", metavar="NAME", help="Use only this speaker's recordings.")
@click.option("--language", help="Language of all recordings. Default: as for `data process`.")
@click.option(
    "--transcriber", metavar="NAME",
    help="Transcribes the recordings if none has a text; see `vall-e plugins list`.  "
    "[default: faster-whisper, else pocketsphinx]",
)  # fmt: skip
@click.option(
    "--steps", type=click.IntRange(1), default=200, show_default=True,
    help="Train at most this many steps of 24 s of speech; ends early if it no longer helps.",
)  # fmt: skip
@click.option(
    "--sentences", type=click.IntRange(0), default=6, show_default=True,
    help="Number of held-out sentences that are spoken and judged before and after.",
)  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps.")
@click.pass_obj
def adapt(
    app: App,
    recordings: Path,
    output: Path,
    model: str | None,
    transcripts: Path | None,
    speaker: str | None,
    language: str | None,
    transcriber: str | None,
    steps: int,
    sentences: int,
    device: str,
) -> None:
    """Adapt a model to your voice: recordings of one speaker in, a LoRA out.

    Encodes the recordings (with texts as for `data process`, else transcribed), holds a tenth of
    them out, trains, keeps the best weights by validation, and compares speech before and after
    with the judges that are installed. Can be stopped at any time; the same command continues.
    """
    from vall_e.adaptation.adapt import AdaptCallbacks, run_adaptation
    from vall_e.adaptation.options import AdaptOptions
    from vall_e.training.commands import Commands

    options = AdaptOptions(
        recordings=recordings,
        output=output,
        model=model,
        transcripts=transcripts,
        speaker=speaker,
        language=language,
        transcriber=transcriber,
        steps=steps,
        sentences=sentences,
        device=device,
    )
    commands = Commands()

    @contextmanager
    def training(run: Run) -> Iterator[RunCallbacks]:
        view = training_view(app.console, run.config.max_steps, run.progress.step)
        with stopping_signals(commands), view as callbacks:
            yield callbacks

    watch = AdaptCallbacks(lambda line: click.echo(line, err=True), commands, training)
    found = run_adaptation(options, app.registry, app.environ, watch)
    click.echo(f"Speak with it:\n  {found.command}")
