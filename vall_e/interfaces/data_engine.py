"""What the core asks of a data engine, which runs the preparation of recordings. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

I = TypeVar("I")  # noqa: E741 (an item)
O = TypeVar("O")  # noqa: E741 (what becomes of it)


@runtime_checkable
class DataEngine(Protocol):
    """Prepares many items: in this process, in several, or on several machines."""

    def run(
        self,
        items: Sequence[I],
        make: Callable[[], Callable[[I], O]],
        lost: Callable[[I], O],
    ) -> Iterator[O]:
        """`make()(item)` of each item, in the order of the items, whichever finishes first.

        Each process calls `make` once. Items, outcomes, `make` and `lost` can be pickled. If a
        process dies, its item is prepared again, so an outcome may be computed twice but is
        returned once; if the item kills one process after another, its outcome is `lost(item)`. An
        exception from `make` or from what it returned ends the run; `DataError` means that the
        engine itself failed.
        """
        ...
