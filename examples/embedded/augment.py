"""More speakers of the same recordings, and recordings without a transcript cut to training size.

    python augment.py warp corpora/kathleen --factor 0.86 --factor 1.09 -o corpora/kathleen-warped
    python augment.py pieces corpora/voices --held-out corpora/unheard -o corpora/voices-pieces

OUTPUT/transcripts.tsv lists the new recordings.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from public_corpora import FOLDER, OUTPUT, Utterance, write_table

WINDOW_SECONDS = 0.1
"""A cut lies in the quietest stretch of this length."""
HOPS_A_WINDOW = 5
HELD_OUT_ONE_OF = 5

Samples = NDArray[np.float32]


@click.group(help=__doc__.partition("\n")[0] if __doc__ else "")
def main() -> None:
    """The commands."""


@main.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--factor", "factors", type=click.FloatRange(0.5, 2.0), multiple=True, required=True,
    help="Factor of speed and pitch; each gives a further copy of every speaker.",
)  # fmt: skip
@OUTPUT
def warp(folder: Path, factors: tuple[float, ...], output: Path) -> None:
    """Play recordings faster or slower: formants and pitch move, as with a smaller or larger head.

    Keep the factor over 0.95 for recordings of 16 kHz: below, the highest band would be empty.
    """
    write_table(list(_warped(folder, factors, output)), output)


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--shortest", default=2.0, show_default=True, help="Minimum seconds of a piece.")
@click.option("--longest", default=4.0, show_default=True, help="Maximum seconds of a piece.")
@click.option(
    "--held-out", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a fifth of the speakers, chosen by their names: voices for evaluation.",
)  # fmt: skip
@OUTPUT
def pieces(
    folder: Path, shortest: float, longest: float, held_out: Path | None, output: Path
) -> None:
    """Cut recordings at quiet places. Texts are dropped, since their alignment is unknown.

    For `vall-e data process --voices-only`.
    """
    rows = list(_read(folder))
    kept_back = held_out_speakers({u.speaker for u in rows}) if held_out else set()
    for place, wanted in ((output, False), (held_out, True)):
        if place is not None:
            chosen = [u for u in rows if (u.speaker in kept_back) == wanted]
            write_table(list(_cut(chosen, shortest, longest, place)), place)


def held_out_speakers(names: set[str]) -> set[str]:
    """A fifth of them, rounded up: the same in every run, in an arbitrary order."""
    mixed = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return set(mixed[: -(-len(mixed) // HELD_OUT_ONE_OF)])


def quiet_cuts(
    samples: Samples, sample_rate: int, shortest: float, longest: float
) -> list[tuple[int, int]]:
    """Ranges of samples of `shortest` to `longest` seconds, and the rest at the end."""
    hop = round(WINDOW_SECONDS / HOPS_A_WINDOW * sample_rate)
    frames = len(samples) // hop
    power = np.square(samples[: frames * hop].reshape(frames, hop)).mean(axis=1)
    loudness = np.convolve(power, np.ones(HOPS_A_WINDOW), "same")
    low, high = (round(seconds * sample_rate / hop) for seconds in (shortest, longest))
    starts = [0]
    while frames - starts[-1] > high:
        first = starts[-1] + low
        starts.append(first + int(loudness[first : starts[-1] + high].argmin()))
    ends = [*starts[1:], frames]
    return [(a * hop, b * hop) for a, b in zip(starts, ends, strict=True)]


def _warped(folder: Path, factors: tuple[float, ...], output: Path) -> Iterator[Utterance]:
    for utterance in _read(folder):
        samples, rate = soundfile.read(utterance.path, dtype="float32")
        for factor in factors:
            mark = f"x{factor:g}"
            path = output / "audio" / f"{utterance.id}_{mark}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write(path, soxr.resample(samples, rate * factor, rate), rate)
            yield Utterance(path.stem, f"{utterance.speaker}_{mark}", path, utterance.text)


def _cut(
    utterances: list[Utterance], shortest: float, longest: float, output: Path
) -> Iterator[Utterance]:
    for utterance in utterances:
        samples, rate = soundfile.read(utterance.path, dtype="float32")
        for number, (start, stop) in enumerate(quiet_cuts(samples, rate, shortest, longest)):
            if stop - start < rate * shortest / 2:
                continue
            path = output / "audio" / f"{utterance.id}_{number}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write(path, samples[start:stop], rate)
            yield Utterance(path.stem, utterance.speaker, path, "")


def _read(folder: Path) -> Iterator[Utterance]:
    table = folder / "transcripts.tsv"
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Utterance(row["id"], row["speaker"], folder / row["path"], row["text"])


def _write(path: Path, samples: Samples, rate: int) -> None:
    part = path.with_suffix(".part")
    soundfile.write(part, samples, rate, format="FLAC")
    part.replace(path)


if __name__ == "__main__":
    main()
