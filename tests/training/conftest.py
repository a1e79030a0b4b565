from pathlib import Path

import pytest
from attrs import evolve, frozen

from vall_e.config.load import structure
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.training.commands import Commands
from vall_e.training.loop import Run, RunCallbacks, train
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


@pytest.fixture
def bench(tmp_path, registry) -> Bench:
    codec = StaircaseCodec(levels=3)
    write_dataset(tmp_path / "data", codec, utterances=30)
    write_dataset(tmp_path / "held-out", codec, utterances=8, seed=1)
    return Bench(tmp_path, registry)
