"""The tracker `wandb`."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from vall_e.interfaces.tracker import TrackedRun
from vall_e.training.trackers.options import WandbConfig
from vall_e.training.trackers.run_id import run_id


class WandbTracker:
    """A run of Weights & Biases; a resumed one continues it. `wandb` is the module."""

    def __init__(self, config: WandbConfig, run: TrackedRun, wandb: ModuleType) -> None:
        self.wandb = wandb
        self.run = wandb.init(
            project=config.project,
            entity=config.entity or None,
            name=run.name,
            id=run_id(run.folder, "wandb"),
            resume="allow",
            dir=str(run.folder),
            mode=config.mode,
            config=dict(run.config),
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=step)

    def log_audio(self, step: int, name: str, path: Path) -> None:
        self.run.log({name: self.wandb.Audio(str(path))}, step=step)

    def close(self) -> None:
        self.run.finish()
