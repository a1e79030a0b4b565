"""Speed of the built-in voice as users experience it: each row is a process of its own.

espeak-ng is measured for comparison: a formant synthesizer, and so a lower limit. It is called
through the library that pip installed. Torch-free until the voice is measured.
"""

from __future__ import annotations

import ctypes
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from time import perf_counter

from attrs import asdict, evolve, frozen

from vall_e.errors import UnavailableError
from vall_e.memory import peak_bytes

TEXT = "The birch canoe slid on the smooth planks, and the sheet was glued to the dark blue board."
PUBLISHED = (
    "pocket-tts (100 M parameters) reports about 0.2 s to the first audio, and 1/6 s of "
    "work per second of audio, on two cores of a MacBook Air M4; not measured here: "
    "https://pypi.org/project/pocket-tts/"
)
ESPEAK = "espeak-ng"
EMBEDDED = "embedded"
SYNCHRONOUS = 2
"""espeak's `AUDIO_OUTPUT_SYNCHRONOUS`: samples go to the callback, and nothing is played."""
UTF8 = 1


@frozen
class EngineJob:
    """What a fresh process should measure; all of it goes to that process as JSON."""

    engine: str
    repeats: int = 3
    overrides: Sequence[str] = ()
    """As for `--set`. One thread, unless set."""


@frozen
class EngineFigures:
    """Figures of one engine; for repeated ones, the median."""

    engine: str
    threads: int
    window_seconds: float
    """Size of the blocks in which a stream is decoded; 0: whole sentences."""
    start_seconds: float
    """From the start of the process until it is ready."""
    first_audio_seconds: float
    """Time until the first chunk of a stream."""
    audio_seconds: float
    rtf: float
    """Seconds of work per second of audio of the same stream."""
    peak_bytes: int | None
    """Of the whole process; None if the system does not report it."""


def measure_apart(order: EngineJob) -> EngineFigures:
    """The row, measured in a process of its own. Raises `UnavailableError` with its error."""
    began = time.time()
    done = subprocess.run(  # noqa: S603  this very module
        [sys.executable, "-m", __name__, json.dumps(asdict(order))],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UnavailableError(
            f"{order.engine} cannot be measured: {said[-1]}",
            hint="run `vall-e synth` to see the error",
        )
    row = EngineFigures(**json.loads(done.stdout.splitlines()[-1]))
    return evolve(row, start_seconds=row.start_seconds - began)


def measure_embedded(order: EngineJob) -> EngineFigures:
    """In this process; `start_seconds` is the time of day at which it was ready."""
    from vall_e.synthesis.load import load

    synthesizer = load(overrides=["synthesis.threads=1", *order.overrides], device="cpu")
    ready = time.time()
    firsts, works, lengths = [], [], []
    synthesizer.synthesize("Hello.", seed=0)  # fills caches
    for seed in range(order.repeats):
        stream = synthesizer.stream(TEXT, seed=seed)
        for _ in stream:
            pass
        result = stream.result()
        firsts.append(result.timings.first_audio_seconds)
        works.append(result.rtf)
        lengths.append(result.seconds)
    settings = synthesizer.config.synthesis
    return _row(EMBEDDED, settings.threads, settings.window_seconds, ready, firsts, works, lengths)


def measure_espeak(order: EngineJob) -> EngineFigures:
    """In this process, on one thread; `start_seconds` as in `measure_embedded`."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
    if rate <= 0:
        raise UnavailableError(f"espeak-ng cannot start: {rate}", hint="reinstall espeakng-loader")
    ready = time.time()
    runs = [_espeak(library, rate) for _ in range(order.repeats + 1)][1:]
    firsts, works, lengths = (list(values) for values in zip(*runs, strict=True))
    return _row(ESPEAK, 1, 0.0, ready, firsts, works, lengths)


def _espeak(library: ctypes.CDLL, rate: int) -> tuple[float, float, float]:
    """Seconds to the first samples, of work per second of audio, and of audio."""
    heard: list[tuple[float, int]] = []

    def take(_: int, samples: int, __: int) -> int:
        if samples:
            heard.append((perf_counter(), samples))
        return 0

    arguments = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    callback = ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(take)  # must live as long as it is used
    library.espeak_SetSynthCallback(callback)
    text = TEXT.encode()
    started = perf_counter()
    library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, UTF8, None, None)
    work = perf_counter() - started
    seconds = sum(samples for _, samples in heard) / rate
    return heard[0][0] - started, work / seconds, seconds


def _row(
    engine: str,
    threads: int,
    window: float,
    ready: float,
    firsts: Sequence[float],
    works: Sequence[float],
    lengths: Sequence[float],
) -> EngineFigures:
    middle = statistics.median
    first, rtf, seconds = middle(firsts), middle(works), middle(lengths)
    return EngineFigures(engine, threads, window, ready, first, seconds, rtf, peak_bytes())


ENGINES = {EMBEDDED: measure_embedded, ESPEAK: measure_espeak}


def answer(request: Mapping[str, object]) -> str:
    """The row for a request (an `EngineJob` as JSON), as JSON."""
    order = EngineJob(**request)  # type: ignore[arg-type]  # it is what `asdict` made of one
    return json.dumps(asdict(ENGINES[order.engine](order)))


if __name__ == "__main__":
    sys.stdout.write(answer(json.loads(sys.argv[1])) + "\n")
