"""Options of `perth`. No torch here: `vall-e --help` may import this file."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class PerthConfig:
    """Options of `perth`."""

    block_seconds: float = field(default=1.0, validator=[validators.ge(0.5), validators.le(60)])
    """The audio is marked in blocks of this length. A stream is delayed by a block and a fifth of
    a second."""
    threshold: float = field(default=0.5, validator=[validators.gt(0), validators.lt(1)])
    """Confidence from which `vall-e provenance` says that there is a mark."""
