"""The tracker `tensorboard`."""

from collections.abc import Mapping
from pathlib import Path

from vall_e.audio.clip import Clip
from vall_e.interfaces.tracker import TrackedRun
from vall_e.training.optional_imports import package

FOLDER = "tensorboard"


class TensorBoardTracker:
    """Event files below the run's folder."""

    def __init__(self, run: TrackedRun) -> None:
        package("tensorboard", needed_by="tensorboard", install="vall-e[tensorboard]")
        writers = package(
            "torch.utils.tensorboard", needed_by="tensorboard", install="vall-e[tensorboard]"
        )
        # What a lost part of the run has written after this step is hidden.
        purge = run.step + 1 if run.step else None
        self.writer = writers.SummaryWriter(run.folder / FOLDER, purge_step=purge)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def log_audio(self, step: int, name: str, path: Path) -> None:
        clip = Clip.read(path).mono()
        self.writer.add_audio(name, clip.samples[None], step, sample_rate=clip.sample_rate)

    def close(self) -> None:
        self.writer.close()
