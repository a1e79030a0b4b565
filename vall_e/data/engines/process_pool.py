"""Processes that are handed one item each: who dies, and of what, is known. Torch-free."""

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
"""Items for each process that may be done before their turn to be given has come."""
TRIES = 2
"""Processes that may die of an item before it counts as lost."""

log = logging.getLogger(__name__)


class Hands(Generic[I, O]):
    """So many processes, each with what its own `make()` gave. They end with the block."""

    def __init__(self, count: int, make: Callable[[], Callable[[I], O]]) -> None:
        self.count = count
        self.make = make
        self.hands: list[_Hand[I]] = []

    def __enter__(self) -> Hands[I, O]:
        self.hands = [_Hand(self.make) for _ in range(self.count)]
        return self

    def __exit__(self, *_: object) -> None:
        for hand in self.hands:
            hand.dismiss()

    def prepared(self, items: Sequence[I], lost: Callable[[I], O]) -> Iterator[O]:
        """What becomes of each item, in their order. A process that dies is replaced."""
        todo = list(reversed(range(len(items))))
        ready: dict[int, O] = {}
        deaths: Counter[int] = Counter()
        for turn in range(len(items)):
            while turn not in ready:
                self._hand_out(items, todo, turn + AHEAD * self.count)
                for number, hand in self._heard():
                    said = hand.listen()
                    if said is not None:
                        ready[number] = said.result()
                    elif hand.alive:
                        continue  # it can begin
                    elif deaths[number] + 1 < TRIES:
                        deaths[number] += 1
                        todo.append(number)
                    else:
                        ready[number] = lost(items[number])
                    self._replace_if_dead(hand)
            yield ready.pop(turn)

    def _hand_out(self, items: Sequence[I], todo: list[int], limit: int) -> None:
        for hand in self.hands:
            if hand.number is None and todo and todo[-1] < limit:
                number = todo.pop()
                hand.give(number, items[number])

    def _heard(self) -> list[tuple[int, _Hand[I]]]:
        """Those who have something to say of an item, or are dead; waits for the first."""
        busy = [(one.number, one) for one in self.hands if one.number is not None]
        told = wait([hand.connection for _, hand in busy])
        return [(number, hand) for number, hand in busy if hand.connection in told]

    def _replace_if_dead(self, hand: _Hand[I]) -> None:
        if hand.alive:
            return
        hand.dismiss()
        code = hand.process.exitcode
        if not hand.began:
            raise DataError(
                f"a worker process ended with the exit code {code} before it could do anything",
                hint="if memory is short, give fewer --workers; --workers 0 needs no process",
            )
        log.warning("a worker process died (exit code %s); what it was at is done again", code)
        self.hands[self.hands.index(hand)] = _Hand(self.make)


class _Hand(Generic[I]):
    """One process. `number` is that of the item that it has."""

    def __init__(self, make: Callable[[], Callable[[I], Any]]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_work, args=(theirs, make), daemon=True)
        self.process.start()
        theirs.close()  # so that its death is heard
        self.number: int | None = None
        self.began = False
        self.alive = True

    def give(self, number: int, item: I) -> None:
        self.number = number
        with suppress(OSError):  # it is dead, and `listen` will find out
            self.connection.send(item)

    def listen(self) -> Attempt | None:
        """What became of its item; None: it begins to work, or is dead. Waits for that."""
        try:
            said: Attempt | None = self.connection.recv()
        except (EOFError, OSError):
            self.alive = False
            return None
        self.began = True
        if said is not None:
            self.number = None
        return said

    def dismiss(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _work(connection: Connection, make: Callable[[], Callable[[Any], Any]]) -> None:
    """What a process does until nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    with suppress(OSError, EOFError):  # nobody listens
        made = attempt(make)
        if made.error:
            connection.send(made)
            return
        connection.send(None)
        while True:
            item = connection.recv()
            connection.send(attempt(partial(made.found, item)))
