"""Speed of one loader process, compared with what a training step consumes.

Times are CPU seconds (`time.process_time`), and wall-clock seconds for training steps on a GPU,
so that other programs on the machine do not count. Sending batches to another process does not
count either: for a batch of a minute of audio it takes a few tenths of a millisecond.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from attrs import asdict, evolve, frozen

from vall_e.benchmarks.speed import Machine, machine_of, wait
from vall_e.config.schema import RunConfig
from vall_e.data.batching.loader import Batch
from vall_e.data.dataset.open import info_of
from vall_e.interfaces.store import Entry, Item
from vall_e.memory import peak_bytes
from vall_e.registry import Registry
from vall_e.training.loop import update
from vall_e.training.objective import lengths_of
from vall_e.training.run import Run
from vall_e.training.setup import open_run

MEDIAN, SPREAD, PACE = 4.0, 0.5, 16.0
"""Of 3,582 read sentences: seconds, standard deviation of their logarithm, characters per
second."""
LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuv ", np.uint8)
COUNTED = 50
"""Batches whose positions are counted; the time of counting is not the worker's."""
ROWS = 4
"""Samples used to measure a training step."""


@frozen
class LoaderReport:
    """The figures, for one thread each."""

    machine: Machine
    utterances: int
    samples_per_second: float
    audio_per_second: float
    """Seconds of audio, without prompts."""
    tokens_per_second: float
    """Positions of the sequences, without padding."""
    padding: float
    """Share of positions in whole batches that are padding."""
    parameters: int
    trained_tokens_per_second: float
    """Samples per second that training steps consume."""
    peak_memory_bytes: int | None
    """Memory of the training process, with corpus and model, before the first step."""

    @property
    def ratio(self) -> float:
        """How many times faster samples are made than training steps consume them."""
        return self.tokens_per_second / self.trained_tokens_per_second

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def measure(
    config: RunConfig,
    registry: Registry,
    folder: Path,
    *,
    seconds: float = 5.0,
    steps: int = 3,
    utterances: int = 2000,
) -> LoaderReport:
    """Load for about `seconds`, then take the median of `steps` training steps after a first one.

    Without `data.train`, `utterances` random utterances are generated in the empty `folder`.
    """
    if not config.data.train:
        made = invent(folder / "invented", config, registry, utterances)
        config = evolve(config, data=evolve(config.data, train=(str(made),), validation=()))
    config = evolve(
        config,
        data=evolve(config.data, workers=0, validation=()),
        training=evolve(config.training, accumulation=1, start_from=""),
    )
    run = open_run(config, folder / "run", registry=registry)
    model = run.bundle.model
    batches = iter(run.loader)
    first = next(batches)  # opens the files
    elapsed, samples, audio, counted = _fed(batches, seconds)
    lengths = [lengths_of(model, batch.examples) for batch in counted]
    tokens = sum(map(sum, lengths))
    peak = peak_bytes()
    small = evolve(first, examples=first.examples[:ROWS], ids=first.ids[:ROWS])
    taken = sum(lengths_of(model, small.examples))
    spent = [_timed(run, small) for _ in range(steps + 1)][1:]
    return LoaderReport(
        machine=machine_of(model.device, config.training.precision),
        utterances=len(run.loader.maker.corpus),
        samples_per_second=samples / elapsed,
        audio_per_second=audio / elapsed,
        tokens_per_second=tokens / sum(len(batch.ids) for batch in counted) * samples / elapsed,
        padding=1 - tokens / sum(max(batch) * len(batch) for batch in lengths),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trained_tokens_per_second=taken / statistics.median(spent),
        peak_memory_bytes=peak,
    )


def _fed(batches: Iterator[Batch], seconds: float) -> tuple[float, int, float, Sequence[Batch]]:
    """The time it took, the samples, their seconds of audio, and the first batches."""
    started = process_time()
    counted = list(islice(batches, COUNTED))
    samples = sum(len(batch.ids) for batch in counted)
    audio = sum(batch.seconds for batch in counted)
    while process_time() - started < seconds:
        batch = next(batches)
        samples += len(batch.ids)
        audio += batch.seconds
    return process_time() - started, samples, audio, counted


def _timed(run: Run, batch: Batch) -> float:
    """Seconds of a training step with the batch."""
    device = run.bundle.model.device
    clock = process_time if device.type == "cpu" else perf_counter
    started = clock()
    update(run, iter([batch]))
    wait(device)
    return clock() - started


def invent(folder: Path, config: RunConfig, registry: Registry, utterances: int) -> Path:
    """A dataset for this config with random codes and letters, in lengths of real sentences."""
    info = info_of(config)
    rng = np.random.default_rng(0)
    lengths = np.exp(rng.normal(np.log(MEDIAN), SPREAD, utterances)).clip(0.6, 15.9)
    language = config.text.languages[0]

    def items() -> Iterator[Item]:
        for number, seconds in enumerate(lengths.tolist()):
            text = (
                LETTERS[rng.integers(len(LETTERS), size=round(seconds * PACE))].tobytes().decode()
            )
            frames = round(seconds * info.frame_rate)
            codes = rng.integers(info.codebook_size, size=(info.levels, frames), dtype=np.int16)
            who, lasting = f"speaker {number % 50}", frames / info.frame_rate
            yield Item(Entry(str(number), who, language, text, text, lasting, 0, frames), codes)

    component = registry.get("store", "folder")
    component.build(component.config()).write(folder, info, items())
    return folder
