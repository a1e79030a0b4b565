import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from attrs import evolve, frozen

from vall_e.config.load import structure
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.training.commands import Commands
from vall_e.training.loop import train
from vall_e.training.run import Run, RunCallbacks
from vall_e.training.setup import open_run

STAIRCASE = {"name": "staircase", "levels": 3, "codebook_size": 16, "sample_rate": 16_000}
"""`StaircaseCodec(levels=3)`, as the YAML file names it."""


@pytest.fixture(scope="session")
def registry(registry) -> Registry:
    """As it is where a distribution `staircase` is installed."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@frozen
class Bench:
    """A folder for runs of a tiny model on tiny data."""

    folder: Path
    registry: Registry

    def raw(self, **training):
        return {
            "model": {
                "backbone": {"name": "llama", "d_model": 16, "layers": 1, "heads": 2},
                "dropout": 0.1,
            },
            "codec": STAIRCASE,
            "text": {"phonemizer": "none"},
            "data": {
                "train": [str(self.folder / "data")],
                "validation": [str(self.folder / "held-out")],
                "batch_seconds": 8,
                "prompt_seconds": [0.3, 0.6],
            },
            "training": {
                "max_steps": 6,
                "save_every": 100,
                "evaluate_every": 100,
                "optimizer": {"name": "adamw", "lr": 0.01},
                **training,
            },
        }

    def open(
        self, name="run", *, data=(), model=(), sections=(), resume=False, overfit=None, **training
    ) -> Run:
        raw = self.raw(**training)
        raw["data"].update(data)
        raw["model"].update(model)
        raw.update(sections)
        config = structure(raw, self.registry)
        return open_run(
            config, self.folder / name, resume=resume, overfit=overfit, registry=self.registry
        )

    def train(self, name="run", *, commands="", watch=None, **options) -> Run:
        run = self.open(name, **options)
        given = Commands()
        for line in commands.splitlines():
            given.give(line)
        train(run, given, watch or RunCallbacks())
        return run

    def steps(self, name):
        """The steps that the run of this name has written to its metrics."""
        path = self.folder / name / "metrics.jsonl"
        text = path.read_text() if path.exists() else ""
        whole = text[: text.rfind("\n") + 1].splitlines()
        return [json.loads(line)["step"] for line in whole if '"loss"' in line]

    def wait_for_step(self, name, step):
        deadline = time.monotonic() + 300
        while len(self.steps(name)) < step:
            assert time.monotonic() < deadline, (self.folder / f"{name}.log").read_text()
            time.sleep(0.01)


@pytest.fixture
def bench(tmp_path, registry) -> Bench:
    codec = StaircaseCodec(levels=3)
    write_dataset(tmp_path / "data", codec, utterances=30)
    write_dataset(tmp_path / "held-out", codec, utterances=8, seed=1)
    return Bench(tmp_path, registry)


@pytest.fixture
def start(bench):
    """Start `vall-e train` with its output in a folder of that name; ended after the test."""
    raw = {**bench.raw(max_steps=28, save_every=9), "codec": "embedded"}
    codec = structure(raw, bench.registry).codec.build()
    write_dataset(bench.folder / "data", codec, utterances=30)
    write_dataset(bench.folder / "held-out", codec, utterances=8, seed=1)
    config = bench.folder / "run.yaml"
    config.write_text(yaml.safe_dump(raw))
    processes = []

    def begin(name, *options, stdin=subprocess.DEVNULL, environ=()):
        options = (*options, "--set", f"training.output={bench.folder / name}")
        with (bench.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "vall_e", "train", str(config), *options],
                stdin=stdin,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", **dict(environ)},
            )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.terminate()  # passed on to the processes that it has started
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()
