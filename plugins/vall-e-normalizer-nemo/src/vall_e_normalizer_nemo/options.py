"""Options of `nemo`. No torch here: `vall-e --help` may import this file."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class NemoConfig:
    """Options of `nemo`."""

    rejected: Literal["error", "keep"] = "error"
    """A text that the grammar has no path for: an error, or kept as it is."""
