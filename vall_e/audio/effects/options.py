"""Options of the built-in audio effects. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class LimiterConfig:
    """Options of `limiter`."""

    gain_db: float = field(default=0.0, validator=[validators.ge(-60), validators.le(60)])
    """Gain before the limit."""
    ceiling_db: float = field(default=-1.0, validator=[validators.ge(-60), validators.le(0)])
    """No sample is above this level (dB of full scale)."""
    ahead_seconds: float = field(default=0.005, validator=[validators.gt(0), validators.le(0.1)])
    """How long before a peak the gain begins to fall, and how long after it the gain rises. A
    stream is delayed by as much."""


@frozen
class LoudnessConfig:
    """Options of `loudness`."""

    lufs: float = field(default=-18.0, validator=[validators.ge(-60), validators.le(0)])
    """Loudness of each result as a whole (ITU-R BS.1770)."""
    ceiling_db: float = field(default=-1.0, validator=[validators.ge(-60), validators.le(0)])
    """No sample is above this level: the gain is lower where a peak would be."""
