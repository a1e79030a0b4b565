"""Options of the experiment trackers. No torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from vall_e.config.validators import positive


@frozen
class TensorBoardConfig:
    """Event files in the run's folder, for `tensorboard --logdir`."""

    every: int = field(default=10, validator=positive)
    """Steps between two training metrics; validations are all reported."""


@frozen
class WandbConfig:
    """Weights & Biases, https://docs.wandb.ai."""

    project: str = "vall-e"
    """Project of the run."""
    entity: str = ""
    """User or team; empty: that of the login."""
    mode: Literal["online", "offline"] = "offline"
    """`offline` keeps everything in the run's folder, for `wandb sync`."""
    every: int = field(default=10, validator=positive)
    """Steps between two training metrics; validations are all reported."""


@frozen
class MlflowConfig:
    """MLflow, https://mlflow.org/docs/latest/tracking.html."""

    uri: str = ""
    """Tracking server, or a folder; empty: the folder `mlruns` in the run's folder."""
    experiment: str = "vall-e"
    """Experiment of the run."""
    every: int = field(default=10, validator=positive)
    """Steps between two training metrics; validations are all reported."""


@frozen
class TrackioConfig:
    """Trackio, https://huggingface.co/docs/trackio: a local dashboard."""

    project: str = "vall-e"
    """Project of the run."""
    every: int = field(default=10, validator=positive)
    """Steps between two training metrics; validations are all reported."""
