"""Options of the fakes that are components. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class StaircaseConfig:
    levels: int = 3
    codebook_size: int = 8
    sample_rate: int = 8000
