"""How fast the built-in voice is here, with one thread and two, beside espeak-ng as the floor.

    python examples/embedded/speed.py
    python examples/embedded/speed.py --threads 1 --repeats 1 --json speed.json

Each row is a fresh process: seconds to import and load, seconds to the first audio and of work for
a second of audio (medians), peak memory. espeak-ng is a formant synthesizer of another kind: what
it takes is what speaking takes at least. It is called through the library that pip brought.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from attrs import asdict, frozen

TEXT = "The birch canoe slid on the smooth planks, and the sheet was glued to the dark blue board."


@frozen
class Row:
    """What one engine took."""

    engine: str
    threads: int
    start_seconds: float
    """To import and load."""
    first_audio_seconds: float
    rtf: float
    """Seconds of work for a second of audio."""
    peak_bytes: int


def measure_embedded(threads: int, repeats: int) -> Row:
    """In this process, which has done nothing else."""
    started = perf_counter()
    import vall_e

    synthesizer = vall_e.load(overrides=[f"synthesis.threads={threads}"], device="cpu")
    start = perf_counter() - started
    synthesizer.synthesize("Hello.", seed=0)  # the first one pays for what is kept
    results = [synthesizer.synthesize(TEXT, seed=seed) for seed in range(repeats)]
    first = statistics.median(result.timings.first_audio_seconds for result in results)
    rtf = statistics.median(result.rtf for result in results)
    return Row("embedded", threads, start, first, rtf, _peak_bytes())


def measure_espeak(threads: int, repeats: int) -> Row:
    """Through `espeak_Synth`, without playing; it has one thread."""
    started = perf_counter()
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(2, 0, data, 0)  # 2: synchronous, to the callback
    if rate <= 0:
        raise SystemExit(f"espeak-ng cannot start: {rate}")
    start = perf_counter() - started
    firsts, works = [], []
    for _ in range(repeats + 1):
        first, work, seconds = _espeak(library, rate)
        firsts.append(first)
        works.append(work / seconds)
    middle = statistics.median
    return Row("espeak-ng", 1, start, middle(firsts[1:]), middle(works[1:]), _peak_bytes())


def _espeak(library: ctypes.CDLL, rate: int) -> tuple[float, float, float]:
    """Seconds to the first samples, of work, and of audio."""
    heard: list[tuple[float, int]] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    def take(_: int, samples: int, __: int) -> int:
        if samples:
            heard.append((perf_counter(), samples))
        return 0

    library.espeak_SetSynthCallback(take)
    text = TEXT.encode()
    started = perf_counter()
    library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, 1, None, None)
    work = perf_counter() - started
    return heard[0][0] - started, work, sum(samples for _, samples in heard) / rate


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


ENGINES = {"embedded": measure_embedded, "espeak-ng": measure_espeak}


def apart(engine: str, threads: int, repeats: int) -> Row:
    """The row of a process of its own."""
    command = [sys.executable, __file__, "--only", engine, "--threads", str(threads)]
    environ = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(  # noqa: S603  this very file
        [*command, "--repeats", str(repeats)], env=environ, check=True, capture_output=True
    )
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def table(rows: Sequence[Row]) -> str:
    """Markdown; the last column says how often its work is that of the first row."""
    lines = [
        "| engine | threads | start, s | first audio, s | work for 1 s | peak, MiB | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        facts = (
            row.engine,
            str(row.threads),
            f"{row.start_seconds:.2f}",
            f"{row.first_audio_seconds:.4f}",
            f"{row.rtf:.4f}",
            f"{row.peak_bytes / 2**20:.0f}",
            f"{row.rtf / rows[0].rtf:.3f}",
        )
        lines.append(f"| {' | '.join(facts)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--only", choices=ENGINES, help="measure it in this process, print JSON")
    given = parser.parse_args(arguments)
    if given.only:
        print(json.dumps(asdict(ENGINES[given.only](given.threads[0], given.repeats))))
        return
    rows = [apart("embedded", threads, given.repeats) for threads in given.threads]
    rows.append(apart("espeak-ng", 1, given.repeats))
    print(table(rows))
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
