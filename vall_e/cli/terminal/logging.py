"""Log records as lines on stderr, beside a progress line if there is one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

OURS = "vall_e"


class LogLines(logging.Handler):
    """`Warning: ...` as an error is told; what is said by -v stands as it is.

    With `places` each line begins with the name of its logger. The console is made with the
    first line, since that takes time.
    """

    def __init__(self, console: Callable[[], Console], level: int, *, places: bool) -> None:
        super().__init__(level)
        self._console = console
        self._places = places

    def filter(self, record: logging.LogRecord) -> bool:
        # Other libraries say a lot below warnings that means nothing to our user.
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
