"""What is adapted to which recordings. Torch-free."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

DATA, RUN, CLIPS = "data", "run", "clips"
CONFIG, REPORT, HEARD, INPUTS = "train.yaml", "report.html", "heard.json", "inputs.json"
"""Names in the working folder."""


@frozen(kw_only=True)
class AdaptOptions:
    """One adaptation of a model to the voice of one speaker."""

    recordings: Path
    output: Path
    """The file of the LoRA."""
    model: Path | str | None = None
    """A weights file, a training folder or an installed model; None: the built-in model."""
    transcripts: Path | None = None
    speaker: str | None = None
    """Only this speaker's recordings."""
    language: str | None = None
    transcriber: str | None = None
    """For recordings without any text; None: the first of `TRANSCRIBERS` that works here."""
    steps: int = 200
    device: str = "auto"
    sentences: int = 6
    """How many held-out sentences are spoken before and after; 0: none."""

    @property
    def work(self) -> Path:
        """Datasets, checkpoints, clips and the report; beside the output."""
        return self.output.with_name(f"{self.output.name}.work")
