"""Experiment trackers. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.interfaces.trial import Trial
from vall_e.plugin import Component
from vall_e.training.trackers.options import (
    MlflowConfig,
    TensorBoardConfig,
    TrackioConfig,
    WandbConfig,
)

if TYPE_CHECKING:
    from vall_e.interfaces.tracker import TrackedRun, Tracker


def build_tensorboard(config: TensorBoardConfig, *, run: TrackedRun) -> Tracker:
    from vall_e.training.trackers.tensorboard import TensorBoardTracker

    return TensorBoardTracker(run)


def build_wandb(config: WandbConfig, *, run: TrackedRun) -> Tracker:
    from vall_e.training.optional_imports import package
    from vall_e.training.trackers.wandb import WandbTracker

    return WandbTracker(config, run, package("wandb", needed_by="wandb", install="wandb"))


def build_mlflow(config: MlflowConfig, *, run: TrackedRun) -> Tracker:
    from vall_e.training.optional_imports import package
    from vall_e.training.trackers.mlflow import MlflowTracker

    return MlflowTracker(config, run, package("mlflow", needed_by="mlflow", install="mlflow"))


def build_trackio(config: TrackioConfig, *, run: TrackedRun) -> Tracker:
    from vall_e.training.optional_imports import package
    from vall_e.training.trackers.trackio import TrackioTracker

    return TrackioTracker(config, run, package("trackio", needed_by="trackio", install="trackio"))


TRACKERS: tuple[Component[Any], ...] = (
    Component(
        name="tensorboard",
        config=TensorBoardConfig,
        build=build_tensorboard,
        summary="event files in the run's folder, for TensorBoard",
    ),
    Component(
        name="wandb",
        config=WandbConfig,
        build=build_wandb,
        summary="Weights & Biases, online or offline",
        trial=Trial(options={"mode": "offline"}),
    ),
    Component(
        name="mlflow",
        config=MlflowConfig,
        build=build_mlflow,
        summary="MLflow, on a server or in a folder",
    ),
    Component(
        name="trackio",
        config=TrackioConfig,
        build=build_trackio,
        summary="Trackio, a local dashboard",
    ),
)
