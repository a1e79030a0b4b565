"""Processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from attrs import frozen

from vall_e.data.engines.process_pool import ProcessPool

I = TypeVar("I")  # noqa: E741 (an item)
O = TypeVar("O")  # noqa: E741 (what becomes of it)


@frozen
class LocalDataEngine:
    """With `workers` processes; 0: in this process, which ends if an item crashes it."""

    workers: int = 0

    def run(
        self,
        items: Sequence[I],
        make: Callable[[], Callable[[I], O]],
        lost: Callable[[I], O],
    ) -> Iterator[O]:
        workers = min(self.workers, len(items), 4 * (os.cpu_count() or 1))
        if not workers:
            yield from map(make(), items)
            return
        with ProcessPool(workers, make) as pool:
            yield from pool.prepared(items, lost)
