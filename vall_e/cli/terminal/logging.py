"""Log records as lines on stderr, compatible with a progress line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

OURS = "vall_e"


class LogLines(logging.Handler):
    """Prints `Warning: ...` like error messages; messages shown with -v have no prefix.

    With `places` each line begins with the name of its logger. The console is created with the
    first line, since that takes time.
    """

    def __init__(self, console: Callable[[], Console], level: int, *, places: bool) -> None:
        super().__init__(level)
        self._console = console
        self._places = places

    def filter(self, record: logging.LogRecord) -> bool:
        # Below warnings, other libraries log much that is irrelevant to our users.
        return record.levelno >= logging.WARNING or record.name.startswith(OURS)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            kind = f"{record.levelname.title()}: " if record.levelno >= logging.WARNING else ""
            place = f"{record.name}: " if self._places else ""
            trouble = "\n" + _FORMAT.formatException(record.exc_info) if record.exc_info else ""
            self._console().print(
                f"{place}{kind}{record.getMessage()}{trouble}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        except Exception:  # noqa: BLE001  a handler tells what is wrong in the way of `logging`
            self.handleError(record)


_FORMAT = logging.Formatter()
