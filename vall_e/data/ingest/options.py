"""Options of `vall-e data process` that hold for every recording. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class IngestOptions:
    """What holds for all recordings, beside the codec and the text settings of a run."""

    language: str | None = None
    """Language of all recordings; None: as the transcripts say."""
    max_seconds: float = 60.0
    device: str = "cpu"
    """Where the codec runs."""
    voices_only: bool = False
    """Store the recordings as voices only: every text is empty."""
    level: float | None = None
    """Loudness in dBFS that all recordings are brought to; None: unchanged."""
