"""Options of the built-in decoding strategies: they are in `sampling`, for all of them."""

from __future__ import annotations

from attrs import frozen


@frozen
class AutoConfig:
    """Options of `auto`: none of its own."""


@frozen
class ArConfig:
    """Options of `ar`: those of `sampling` (`candidates`, `beams`, `exit`, `speculative`)."""


@frozen
class MaskedConfig:
    """Options of `demask`: those of `sampling.demask`."""
