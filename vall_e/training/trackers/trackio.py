"""The tracker `trackio`."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from vall_e.interfaces.tracker import TrackedRun
from vall_e.training.trackers.options import TrackioConfig
from vall_e.training.trackers.run_id import run_id


class TrackioTracker:
    """A run of Trackio; a resumed one continues it. `trackio` is the module."""

    def __init__(self, config: TrackioConfig, run: TrackedRun, trackio: ModuleType) -> None:
        self.trackio = trackio
        self.run = trackio.init(
            project=config.project,
            name=f"{run.name}-{run_id(run.folder, 'trackio')}",
            config=dict(run.config),
            resume="allow",
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=step)

    def log_audio(self, step: int, name: str, path: Path) -> None:
        self.run.log({name: self.trackio.Audio(str(path))}, step=step)

    def close(self) -> None:
        self.run.finish()
