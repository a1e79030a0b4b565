"""`vall-e codec`: fits codebooks, trains the vocoder, and tries the codec out."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.plugin import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vall_e_codecs.embedded.recordings import Recordings


def _finite(_: click.Context, __: click.Parameter, value: float) -> float:
    """Refuse NaN and infinity, which click's ranges let through."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.")
    return value


SHOWN = 10
"""Number of reasons printed for each list."""
POSITIVE = click.FloatRange(min=0, min_open=True)
COUNT = click.IntRange(min=1)
SEED = click.IntRange(min=0)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
LISTS = click.argument("lists", nargs=-1, required=True, type=FILE)
CACHE = click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Cache folder for decoded recordings; can be shared by all runs on these lists.",
)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def codec() -> None:
    """Train the embedded codec.

    LISTS are tab-separated files with a column `path`, relative to the list's folder.
    """


@codec.command()
@LISTS
@CACHE
@click.option("--output", "-o", type=OUTPUT, required=True, help="File for the codebooks.")
@click.option(
    "--vectors", type=COUNT, default=300_000, show_default=True, help="Code frames to fit on."
)
@click.option("--seed", type=SEED, default=0, show_default=True)
def fit(lists: Sequence[Path], cache: Path, output: Path, vectors: int, seed: int) -> None:
    """Fit codebooks on the recordings of LISTS, with equal shares of each list."""
    from vall_e_codecs.embedded import weights
    from vall_e_codecs.embedded.analysis import AnalysisSettings
    from vall_e_codecs.embedded.fit_codebooks import FitSettings, draw_vectors
    from vall_e_codecs.embedded.fit_codebooks import fit as fit_codebooks
    from vall_e_codecs.embedded.recordings import read_lists

    analysis = AnalysisSettings()
    sources = read_lists(lists, analysis.sample_rate, cache)
    _report_skipped(lists, sources)
    quantizer = fit_codebooks(
        draw_vectors(sources, analysis, vectors, seed=seed),
        FitSettings(seed=seed),
        subframes=analysis.subframes,
        progress=lambda level, error: click.echo(f"level {level}: error {error:.4f}", err=True),
    )
    made = weights.CodecWeights(analysis, quantizer, {}, {})
    weights.save(made, output)
    click.echo(made.identity)


@codec.command()
@LISTS
@CACHE
@click.option("--codebooks", type=FILE, required=True, help="Output file of `vall-e codec fit`.")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for checkpoint.safetensors, metrics.jsonl and codec.safetensors.",
)
@click.option(
    "--minutes",
    type=POSITIVE,
    callback=_finite,
    default=100.0,
    show_default=True,
    help="Total training time.",
)
@click.option("--learning-rate", type=POSITIVE, callback=_finite, default=8e-4, show_default=True)
@click.option("--batch", type=COUNT, default=12, show_default=True, help="Crops per step.")
@click.option("--frames", type=COUNT, default=64, show_default=True, help="Code frames per crop.")
@click.option(
    "--width", type=COUNT, default=256, show_default=True, help="Channels of the vocoder."
)
@click.option("--layers", type=COUNT, default=8, show_default=True, help="Blocks of the vocoder.")
@click.option(
    "--sample-rate",
    type=COUNT,
    help="Sample rate of the vocoder's output. Default: that of the codebooks.",
)
@click.option(
    "--adversary",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Channels of the discriminators: 0 for none, 8 on a CPU, 32 on a GPU.",
)
@click.option(
    "--adversary-warm-up",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Steps that train only the discriminators, before they affect the vocoder.",
)
@click.option("--start", type=FILE, help="Codec file whose vocoder is trained further.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue from the checkpoint in the output folder, if there is one.",
)
def train(
    lists: Sequence[Path],
    cache: Path,
    codebooks: Path,
    output: Path,
    minutes: float,
    learning_rate: float,
    batch: int,
    frames: int,
    width: int,
    layers: int,
    sample_rate: int | None,
    adversary: int,
    adversary_warm_up: int,
    start: Path | None,
    seed: int,
    resume: bool,
) -> None:
    """Train the vocoder on the recordings of LISTS, for a given time."""
    from vall_e_codecs.embedded import weights
    from vall_e_codecs.embedded.batches import CropSettings
    from vall_e_codecs.embedded.recordings import read_lists
    from vall_e_codecs.embedded.train import Trainer, TrainSettings, append_json
    from vall_e_codecs.embedded.vocoder import VocoderSettings
    from vall_e_codecs.embedded.widen import settings_at

    logging.basicConfig(level=logging.INFO)
    made = weights.load(codebooks)
    settings = TrainSettings(
        minutes=minutes,
        learning_rate=learning_rate,
        adversary_channels=adversary,
        adversary_warm_up=adversary_warm_up,
        seed=seed,
        crops=CropSettings(batch=batch, frames=frames),
    )
    sizes = VocoderSettings(
        dimension=made.analysis.dimension, hop=made.analysis.hop, width=width, layers=layers
    )
    if sample_rate is not None:
        sizes = settings_at(sizes, made.analysis.at(sample_rate).hop)
    checkpoint = output / "checkpoint.safetensors"
    _require_free(checkpoint, resume=resume)
    trainer = Trainer(made, sizes, settings)
    if start is not None:
        trainer.start_from(weights.load(start))
    if resume and checkpoint.exists():
        trainer.resume(checkpoint)
    sources = read_lists(lists, trainer.sample_rate, cache)
    _report_skipped(lists, sources)
    output.mkdir(parents=True, exist_ok=True)
    trainer.run(sources, output, lambda line: append_json(output / "metrics.jsonl", line))


def _require_free(checkpoint: Path, *, resume: bool) -> None:
    if checkpoint.exists() and not resume:
        raise TrainingError(
            f"{checkpoint.parent} contains a run that would be overwritten",
            hint="continue it with --resume, or choose another folder with -o",
        )


def _report_skipped(lists: Sequence[Path], sources: Sequence[Recordings]) -> None:
    for path, source in zip(lists, sources, strict=True):
        if source.skipped:
            count, total = len(source.skipped), len(source) + len(source.skipped)
            click.echo(f"{path}: skipped {count} of {total} recordings", err=True)
            for item in source.skipped[:SHOWN]:
                click.echo(f"  {item.reason}", err=True)


@codec.command()
@click.argument("recording", type=FILE)
@click.option("--output", "-o", type=OUTPUT, required=True, help="Audio file to write (WAV, FLAC).")
@click.option("--codec", "file", type=FILE, help="Codec file; default: the one in VALL-E.")
@click.option("--levels", type=click.IntRange(1), metavar="N", help="Keep the first N levels.")
def resynthesize(recording: Path, output: Path, file: Path | None, levels: int | None) -> None:
    """Encode RECORDING and decode it again, to judge the codec's quality."""
    import torch

    from vall_e_codecs.embedded.codec import open_codec
    from vall_e_codecs.embedded.recordings import read_mono, write_mono

    found = open_codec(file)
    audio = torch.from_numpy(read_mono(recording, found.sample_rate))
    codes = found.encode(audio[None, None])[:, :levels]
    sound = found.decode(codes)[0, 0, : len(audio)]
    write_mono(output, sound.numpy(), found.sample_rate)
    seconds = len(sound) / found.sample_rate
    click.echo(f"{output}: {seconds:.2f} s, {codes.shape[1]} of {found.levels} levels")
