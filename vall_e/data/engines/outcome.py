"""The outcome of a call, to be passed between processes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from attrs import frozen

from vall_e.errors import VallEError


@frozen
class Attempt:
    """The result of a call, or its error. Can be pickled."""

    found: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        """The result of the call; raises its error."""
        if self.error is not None:
            raise self.error
        return self.found


def attempt(call: Callable[[], Any]) -> Attempt:
    """The outcome of `call()`; of an error other than `VallEError`, only the text is kept."""
    try:
        return Attempt(call())
    except VallEError as exc:
        return Attempt(error=exc)
    except Exception:  # noqa: BLE001 (it is raised where it is wanted; not all can be pickled)
        text = traceback.format_exc()
        return Attempt(error=RuntimeError(f"in a worker process:\n{text}"))
