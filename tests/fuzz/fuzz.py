"""Damages small valid files of every kind that users give, and reads them: `make fuzz`.

    python tests/fuzz/fuzz.py --seconds 60               all kinds, as long as this
    python tests/fuzz/fuzz.py --only voices --input 17   one input again; its files are kept

Input N of a kind is always the same. Each kind is read in a process of its own: an input that
crashes it, or takes too much processor time, is found like one that raises a wrong error.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

from attrs import define, field, frozen
from damage import damaged
from known_cases import cases_of
from readers import READERS, BugError, Reader, model

from vall_e.cli.app import BUG
from vall_e.errors import VallEError

MEMORY = 4 << 30
"""More than this raises `MemoryError` in Python, and ends a library that does not expect it."""
SHOWN = 5
"""Failures of a kind that are printed."""


@frozen
class Failure:
    kind: str
    number: int
    what: str

    def __str__(self) -> str:
        again = f"python tests/fuzz/fuzz.py --only {self.kind} --input {self.number}"
        return f"{self.kind}, input {self.number}: {self.what}\n  again: {again}"


@frozen
class Limits:
    """An input that takes longer hangs."""

    processor_seconds: int = 10
    wall_seconds: float = 120.0


def damage(reader: Reader, number: int, pristine: Path, folder: Path) -> Path:
    """Fill the empty `folder` with input `number`; returns the damaged file, or the folder.

    The first inputs are the known cases.
    """
    shutil.copytree(pristine, folder, dirs_exist_ok=True)
    known = cases_of(reader.name)
    if number < len(known):
        known[number].damage(folder)
        return folder
    rng = random.Random(f"{reader.name}/{number}")
    path = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    path.write_bytes(damaged(path, path.read_bytes(), rng))
    return path


def wrong(reader: Reader, folder: Path) -> str:
    """What reading raised that is no error of ours; empty if nothing."""
    try:
        reader.read(folder)
    except VallEError:
        return ""
    except Exception as exc:  # noqa: BLE001  what is looked for
        return told(exc)
    return ""


def told(exc: BaseException) -> str:
    if isinstance(exc, BugError):
        return told_by_command(exc)
    frames = [f for f in traceback.extract_tb(exc.__traceback__) if "/vall_e" in f.filename]
    last = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(exc).__name__}{last}: {str(exc)[-3000:]}"


def told_by_command(exc: BugError) -> str:
    lines = [line.strip() for line in str(exc).splitlines()]
    places = [line for line in lines if line.startswith("File ") and "/vall_e" in line]
    names = [line for line in lines if re.match(r"[A-Za-z_.]+(Error|Exception)\b", line)]
    place = places[-1].replace('"', "").split("/")[-1] if places else ""
    return f"exit code {BUG} at {place}: {(names or lines)[-1][:500]}"


# In the child


def child(reader: Reader, first: int, until: float, write: int, limits: Limits) -> None:
    """Read inputs from `first` on, and tell the parent about each before and after it."""
    warnings.simplefilter("ignore")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)

    def tell(*words: object) -> None:
        os.write(write, json.dumps(words).encode() + b"\n")

    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        pristine = Path(place) / "pristine"
        pristine.mkdir()
        reader.write(pristine)
        limit_memory()
        number = first
        while number == first or time.monotonic() < until:
            folder = Path(place) / "input"
            folder.mkdir()
            damage(reader, number, pristine, folder)
            limit_time(limits.processor_seconds)
            tell("try", number)
            tell("done", number, wrong(reader, folder))
            shutil.rmtree(folder)
            number += 1


def limit_memory() -> None:
    status = Path("/proc/self/status").read_text()
    [used] = [int(line.split()[1]) << 10 for line in status.splitlines() if "VmData" in line]
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, resource.RLIM_INFINITY))


def limit_time(seconds: int) -> None:
    """The system ends this process if the next input takes too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    end = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))


# In the parent


@define
class Watch:
    """A kind of file whose inputs are read in a process of its own."""

    reader: Reader
    until: float
    limits: Limits
    tried: int = 0
    number: int = -1
    """The input that is being read; -1: the files are being written."""
    since: float = 0.0
    failures: list[Failure] = field(factory=list)
    process: int = 0
    pipe: int = -1
    rest: bytes = b""

    def start(self, first: int) -> None:
        read, write = os.pipe()
        self.number, self.since, self.rest = -1, time.monotonic(), b""
        self.process, self.pipe = os.fork(), read
        if self.process:
            os.close(write)
            return
        os.close(read)
        try:
            child(self.reader, first, self.until, write, self.limits)
        except BaseException as exc:  # noqa: BLE001  a child must not go on as its parent
            os.write(write, json.dumps(("broken", told(exc))).encode() + b"\n")
        os._exit(0)

    def hear(self) -> bool:
        """Take what the child says; whether it lives."""
        data = os.read(self.pipe, 1 << 16)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            kind, *words = json.loads(line)
            if kind == "try":
                [self.number], self.since = words, time.monotonic()
            elif kind == "broken":
                self.fail(f"the files cannot be written: {words[0]}")
            else:
                self.tried += 1
                if words[1]:
                    self.fail(words[1])
        return bool(data)

    def fail(self, what: str) -> None:
        self.failures.append(Failure(self.reader.name, self.number, what))

    def ended(self) -> bool:
        """After the child is gone: note a crash; whether there is time for more inputs."""
        os.close(self.pipe)
        _, status = os.waitpid(self.process, 0)
        if not os.WIFSIGNALED(status):
            return False
        name = signal.Signals(os.WTERMSIG(status)).name
        hangs = name in ("SIGXCPU", "SIGKILL")
        self.fail(f"it hangs ({name})" if hangs else f"the process crashed: {name}")
        self.tried += 1
        return self.number >= 0 and time.monotonic() < self.until


def run(
    readers: Sequence[Reader], seconds: float, workers: int, limits: Limits = Limits()
) -> list[Watch]:
    """Read inputs of all kinds, for about this long."""
    waiting = list(readers)
    done: list[Watch] = []
    share = seconds * workers / len(waiting)
    with DefaultSelector() as pipes:
        while waiting or pipes.get_map():
            while waiting and len(pipes.get_map()) < workers:
                watch = Watch(waiting.pop(0), time.monotonic() + share, limits)
                watch.start(0)
                pipes.register(watch.pipe, EVENT_READ, watch)
                done.append(watch)
            for key, _ in pipes.select(timeout=1.0):
                watch = key.data
                if not watch.hear():
                    pipes.unregister(watch.pipe)
                    if watch.ended():
                        watch.start(watch.number + 1)
                        pipes.register(watch.pipe, EVENT_READ, watch)
            for key in list(pipes.get_map().values()):
                if time.monotonic() - key.data.since > limits.wall_seconds:
                    os.kill(key.data.process, signal.SIGKILL)
    return done


def report(done: Iterable[Watch]) -> bool:
    """Print what was found; whether nothing was."""
    done = list(done)
    for watch in done:
        distinct = {f.what.split(":")[0]: f for f in reversed(watch.failures)}
        for failure in list(distinct.values())[:SHOWN]:
            print(failure, end="\n\n")
    failed = sum(len(watch.failures) for watch in done)
    tried = sum(watch.tried for watch in done)
    few = [watch.reader.name for watch in done if not watch.tried]
    if few:
        print(f"no input was read of {', '.join(few)}: give more time")
    print(f"{len(done)} kinds of files, {tried} damaged inputs, {failed} wrong")
    return not failed and not few


def again(reader: Reader, number: int) -> bool:
    """Read one input in this process, with a traceback; its files are kept."""
    place = Path(tempfile.mkdtemp(prefix=f"fuzz-{reader.name}-{number}-"))
    pristine, folder = place / "valid", place / "input"
    pristine.mkdir()
    reader.write(pristine)
    path = damage(reader, number, pristine, folder)
    print(f"damaged: {path}", flush=True)
    try:
        reader.read(folder)
    except VallEError as exc:
        print(f"{type(exc).__name__}: {exc.message}")
    except Exception:  # noqa: BLE001  what is looked for
        traceback.print_exc()
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", metavar="KIND", help="its name, or the beginning of several")
    parser.add_argument("--input", type=int, metavar="N")
    options = parser.parse_args()
    chosen = [r for r in READERS if r.name == options.only] or [
        r for r in READERS if r.name.startswith(options.only or "")
    ]
    if not chosen:
        parser.error(f"no kind is called {options.only!r}: {', '.join(r.name for r in READERS)}")
    if options.input is not None:
        return 0 if again(chosen[0], options.input) else 1
    model()  # what all kinds need is imported before their processes begin
    return 0 if report(run(chosen, options.seconds, options.workers)) else 1


if __name__ == "__main__":
    sys.exit(main())
