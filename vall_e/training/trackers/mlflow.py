"""The tracker `mlflow`."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from vall_e.interfaces.tracker import TrackedRun
from vall_e.training.trackers.options import MlflowConfig

ID = "mlflow.id"


class MlflowTracker:
    """A run of MLflow; a resumed one continues it. `mlflow` is the module."""

    def __init__(self, config: MlflowConfig, run: TrackedRun, mlflow: ModuleType) -> None:
        uri = config.uri or (run.folder / "mlruns").resolve().as_uri()
        self.client = mlflow.MlflowClient(tracking_uri=uri)
        self.id = self._id(config, run)

    def _id(self, config: MlflowConfig, run: TrackedRun) -> str:
        known = run.folder / ID
        if known.is_file():
            return known.read_text(encoding="utf-8").strip()
        found = self.client.get_experiment_by_name(config.experiment)
        experiment = (
            found.experiment_id if found else self.client.create_experiment(config.experiment)
        )
        created = self.client.create_run(experiment, run_name=run.name)
        self.client.log_text(created.info.run_id, json.dumps(run.config, indent=2), "config.json")
        known.write_text(created.info.run_id, encoding="utf-8")
        return str(created.info.run_id)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.client.log_metric(self.id, name, value, step=step)

    def log_audio(self, step: int, name: str, path: Path) -> None:
        self.client.log_artifact(self.id, str(path), f"samples/step-{step:06d}")

    def close(self) -> None:
        self.client.set_terminated(self.id)
