"""What the core asks of a data engine: who prepares recordings, and where. Torch-free."""

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
        """`make()(item)` of each item, in the order of the items, whichever is done first.

        Each process calls `make` once. Items, outcomes, `make` and `lost` can be pickled. An item
        whose process dies is prepared again, so the same outcome may be made twice and is given
        once; where process after process dies of it, `lost(item)` is its outcome. An exception of
        `make` or of what it gave ends the run; `DataError` says that the engine itself failed.
        """
        ...
