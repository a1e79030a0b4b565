"""The built-in trackers, and a run that reports to them."""

import json
from types import SimpleNamespace

import attrs
import pytest

from vall_e.interfaces.tracker import TrackedRun
from vall_e.testing import TrackerContract
from vall_e.training.commands import Commands
from vall_e.training.loop import train
from vall_e.training.run import RunCallbacks
from vall_e.training.trackers.components import build_tensorboard
from vall_e.training.trackers.mlflow import MlflowTracker
from vall_e.training.trackers.options import (
    MlflowConfig,
    TensorBoardConfig,
    TrackioConfig,
    WandbConfig,
)
from vall_e.training.trackers.trackio import TrackioTracker
from vall_e.training.trackers.wandb import WandbTracker
from vall_e.training.tracking import Tracking


@pytest.mark.slow
class TestTensorBoard(TrackerContract):
    def make(self, run):
        return build_tensorboard(TensorBoardConfig(), run=run)

    def read(self, folder):
        reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        found = {}
        events = reading.EventAccumulator(str(folder / "tensorboard")).Reload()
        for name in events.Tags()["scalars"]:
            for event in events.Scalars(name):
                found.setdefault(event.step, {})[name] = event.value
        return dict(sorted(found.items()))


class Service:
    """What wandb and trackio have in common: `init` gives the run of an id, also again."""

    def __init__(self, folder):
        self.file, self.given = folder / "service.json", {}

    def init(self, **given):
        self.given = given
        key = given.get("id") or given["name"]
        return SimpleNamespace(
            log=lambda values, step: self._log(key, step, values), finish=lambda: None
        )

    def _log(self, key, step, values):
        kept = json.loads(self.file.read_text()) if self.file.exists() else {}
        kept.setdefault(key, {}).setdefault(str(step), {}).update(
            {name: value for name, value in values.items() if isinstance(value, float)}
        )
        self.file.write_text(json.dumps(kept))

    def Audio(self, path):  # noqa: N802 - the name there
        return SimpleNamespace(path=path)

    @classmethod
    def read(cls, folder):
        path = folder / "service.json"
        kept = json.loads(path.read_text()) if path.exists() else {"": {}}
        assert len(kept) == 1, f"{len(kept)} runs instead of one"
        (values,) = kept.values()
        return {int(step): line for step, line in values.items()}


class TestWandb(TrackerContract):
    def make(self, run):
        return WandbTracker(WandbConfig(), run, Service(run.folder))

    def read(self, folder):
        return Service.read(folder)


class TestTrackio(TrackerContract):
    def make(self, run):
        return TrackioTracker(TrackioConfig(), run, Service(run.folder))

    def read(self, folder):
        return Service.read(folder)


class Client:
    """The part of MLflow's client that is used."""

    def __init__(self, tracking_uri):
        self.uri, self.values, self.runs = tracking_uri, {}, 0

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name):
        return "1"

    def create_run(self, experiment, run_name):
        self.runs += 1
        return SimpleNamespace(info=SimpleNamespace(run_id=f"run-{self.runs}"))

    def log_metric(self, run, name, value, step):
        self.values[run, step, name] = value

    def log_text(self, run, text, name):
        self.values[run, name] = text

    def log_artifact(self, run, path, folder):
        self.values[run, folder] = path

    def set_terminated(self, run):
        self.values[run, "ended"] = True


def test_mlflow_continues_the_run_of_the_folder(tmp_path):
    client = Client("")
    module = SimpleNamespace(MlflowClient=lambda tracking_uri: client)
    first = MlflowTracker(MlflowConfig(), TrackedRun(tmp_path, config={"seed": 1}), module)
    first.log(1, {"loss": 2.0})
    again = MlflowTracker(MlflowConfig(), TrackedRun(tmp_path, step=1), module)
    again.log(2, {"loss": 1.0})
    again.close()
    assert client.runs == 1
    assert client.values["run-1", 2, "loss"] == 1.0
    assert json.loads(client.values["run-1", "config.json"]) == {"seed": 1}


def test_wandb_gets_the_config_and_writes_into_the_folder(tmp_path):
    service = Service(tmp_path)
    WandbTracker(WandbConfig(project="mine"), TrackedRun(tmp_path, config={"a": 1}), service)
    assert service.given["project"] == "mine"
    assert service.given["config"] == {"a": 1}
    assert (service.given["mode"], service.given["dir"]) == ("offline", str(tmp_path))


class Recorder:
    def __init__(self):
        self.lines, self.clips, self.closed = [], [], 0

    def log(self, step, values):
        self.lines.append((step, dict(values)))

    def log_audio(self, step, name, path):
        self.clips.append((step, name))

    def close(self):
        self.closed += 1


class Broken(Recorder):
    def log(self, step, values):
        raise ConnectionError("no network")


def choice(name, tracker, every=1):
    options = SimpleNamespace(every=every)
    return SimpleNamespace(name=name, options=options, build=lambda *, run: tracker)


def test_every_step_is_for_training_and_not_for_validation():
    recorder = Recorder()
    tracking = Tracking.of([choice("a", recorder, every=2)], TrackedRun(None))
    for step in (1, 2, 3):
        tracking.log({"step": step, "loss": 1.0, "tokens": 9, "grad_norm": float("inf")})
        tracking.log({"step": step, "validation.ar": 2.0})
    losses = [step for step, values in recorder.lines if "loss" in values]
    assert losses == [2]
    assert [step for step, values in recorder.lines if "validation.ar" in values] == [1, 2, 3]
    assert recorder.lines[1] == (2, {"loss": 1.0})


def test_a_tracker_that_fails_is_left_out_and_the_others_continue(caplog):
    good, bad = Recorder(), Broken()
    tracking = Tracking.of([choice("bad", bad), choice("good", good)], TrackedRun(None))
    for step in (1, 2):
        tracking.log({"step": step, "loss": 1.0})
    tracking.close()
    assert (len(good.lines), good.closed, bad.closed) == (2, 1, 0)
    assert caplog.text.count("the tracker bad is left out from now on: no network") == 1


def test_a_run_reports_its_metrics_and_its_samples(bench):
    recorder = Recorder()
    short = {"sections": {"synthesis": {"max_seconds": 0.5}}}
    run = bench.open(max_steps=2, evaluate_every=2, samples={"count": 1, "judged": False}, **short)
    config = attrs.evolve(run.config, trackers=(choice("a", recorder),))
    train(attrs.evolve(run, config=config), Commands(), RunCallbacks())
    steps = [step for step, values in recorder.lines if "loss" in values]
    assert steps == [1, 2]
    assert recorder.clips == [
        (0, "held-out-00"), (0, "trained-01"), (2, "held-out-00"), (2, "trained-01"),
    ]  # fmt: skip
    assert recorder.closed == 1
