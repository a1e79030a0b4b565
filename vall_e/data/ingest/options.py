"""Options of `vall-e data process` that apply to every recording. No torch here."""

from __future__ import annotations

from attrs import frozen

from vall_e.data.ingest.rules import MAX_SECONDS


@frozen
class IngestOptions:
    """Settings for all recordings, in addition to the codec and text settings of a run."""

    language: str | None = None
    """Language of all recordings; None: as given by the transcripts."""
    max_seconds: float = MAX_SECONDS
    device: str = "cpu"
    """Device of the codec."""
    voices_only: bool = False
    """Store the recordings as voices only: every text is empty."""
    level: float | None = None
    """Loudness in dBFS that all recordings are normalized to; None: unchanged."""
