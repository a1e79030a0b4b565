"""Processes that receive one item each, so that a crash has a known item. Torch-free."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vall_e.data.engines.outcome import Attempt, attempt
from vall_e.errors import DataError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

I = TypeVar("I")  # noqa: E741 (an item)
O = TypeVar("O")  # noqa: E741 (what becomes of it)

AHEAD = 16
"""Items for each process that may be finished before it is their turn to be returned."""
TRIES = 2
"""Processes that an item may crash before it counts as lost."""

log = logging.getLogger(__name__)


class ProcessPool(Generic[I, O]):
    """A pool of processes, each with the result of its own `make()`. They end with the block."""

    def __init__(self, count: int, make: Callable[[], Callable[[I], O]]) -> None:
        self.count = count
        self.make = make
        self.workers: list[_WorkerProcess[I]] = []

    def __enter__(self) -> ProcessPool[I, O]:
        self.workers = [_WorkerProcess(self.make) for _ in range(self.count)]
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.end()

    def prepared(self, items: Sequence[I], lost: Callable[[I], O]) -> Iterator[O]:
        """The outcome of each item, in order. A process that dies is replaced."""
        todo = list(reversed(range(len(items))))
        ready: dict[int, O] = {}
        deaths: Counter[int] = Counter()
        for turn in range(len(items)):
            while turn not in ready:
                self._distribute(items, todo, turn + AHEAD * self.count)
                for number, worker in self._ready():
                    said = worker.receive()
                    if said is not None:
                        ready[number] = said.result()
                    elif worker.alive:
                        continue  # it is ready
                    elif deaths[number] + 1 < TRIES:
                        deaths[number] += 1
                        todo.append(number)
                    else:
                        ready[number] = lost(items[number])
                    self._replace_if_dead(worker)
            yield ready.pop(turn)

    def _distribute(self, items: Sequence[I], todo: list[int], limit: int) -> None:
        for worker in self.workers:
            if worker.number is None and todo and todo[-1] < limit:
                number = todo.pop()
                worker.send(number, items[number])

    def _ready(self) -> list[tuple[int, _WorkerProcess[I]]]:
        """Processes that report an item, or have died; waits for the first."""
        busy = [(one.number, one) for one in self.workers if one.number is not None]
        reported = wait([worker.connection for _, worker in busy])
        return [(number, worker) for number, worker in busy if worker.connection in reported]

    def _replace_if_dead(self, worker: _WorkerProcess[I]) -> None:
        if worker.alive:
            return
        worker.end()
        code = worker.process.exitcode
        if not worker.began:
            raise DataError(
                f"a worker process ended with the exit code {code} during its start",
                hint="if memory is short, use fewer --workers; --workers 0 starts no processes",
            )
        log.warning("a worker process died (exit code %s); its item is processed again", code)
        self.workers[self.workers.index(worker)] = _WorkerProcess(self.make)


class _WorkerProcess(Generic[I]):
    """One process. `number` is that of its item."""

    def __init__(self, make: Callable[[], Callable[[I], Any]]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_work, args=(theirs, make), daemon=True)
        self.process.start()
        theirs.close()  # so that the death of the process is noticed
        self.number: int | None = None
        self.began = False
        self.alive = True

    def send(self, number: int, item: I) -> None:
        self.number = number
        with suppress(OSError):  # it has died, which `receive` will notice
            self.connection.send(item)

    def receive(self) -> Attempt | None:
        """The outcome of its item; None: it is starting or has died. Waits for it."""
        try:
            said: Attempt | None = self.connection.recv()
        except (EOFError, OSError):
            self.alive = False
            return None
        self.began = True
        if said is not None:
            self.number = None
        return said

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _work(connection: Connection, make: Callable[[], Callable[[Any], Any]]) -> None:
    """The loop of a process, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends it
    with suppress(OSError, EOFError):  # the pipe is closed
        made = attempt(make)
        if made.error:
            connection.send(made)
            return
        connection.send(None)
        while True:
            item = connection.recv()
            connection.send(attempt(partial(made.found, item)))
