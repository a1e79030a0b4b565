"""What happened where something was tried, told where it is wanted."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from attrs import frozen

from vall_e.errors import VallEError


@frozen
class Attempt:
    """What a call gave, or what it raised. Can be pickled."""

    found: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        """What the call gave; raises what it raised."""
        if self.error is not None:
            raise self.error
        return self.found


def attempt(call: Callable[[], Any]) -> Attempt:
    """What `call()` gives or raises; of an error that is no `VallEError` the text is kept."""
    try:
        return Attempt(call())
    except VallEError as exc:
        return Attempt(error=exc)
    except Exception:  # noqa: BLE001 (it is raised where it is wanted; not all can be pickled)
        text = traceback.format_exc()
        return Attempt(error=RuntimeError(f"in a worker process:\n{text}"))
