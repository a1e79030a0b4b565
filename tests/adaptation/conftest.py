from pathlib import Path

import numpy as np
import pytest
from attrs import evolve, frozen

from vall_e.adaptation.adapt import AdaptCallbacks, run_adaptation
from vall_e.adaptation.options import AdaptOptions
from vall_e.audio.clip import Clip
from vall_e.config.load import structure
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.training.commands import Commands
from vall_e.training.loop import train
from vall_e.training.run import RunCallbacks
from vall_e.training.setup import open_run
from vall_e.weights.locate import find_weights

STAIRCASE = {"name": "staircase", "levels": 2, "codebook_size": 16, "sample_rate": 16_000}


@pytest.fixture(scope="module")
def staircase(registry) -> Registry:
    """As it is where a distribution `staircase` is installed."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@pytest.fixture(scope="module")
def model(staircase, tmp_path_factory) -> Path:
    """The weights of a tiny model after a step."""
    folder = tmp_path_factory.mktemp("model")
    write_dataset(folder / "data", StaircaseCodec(levels=2), utterances=6)
    raw = {
        "model": {"backbone": {"name": "llama", "d_model": 16, "layers": 1, "heads": 2}},
        "codec": STAIRCASE,
        "text": {"phonemizer": "none"},
        "data": {"train": [str(folder / "data")], "prompt_seconds": [0.3, 0.6]},
        "training": {"max_steps": 1},
    }
    run = open_run(structure(raw, staircase), folder / "run", registry=staircase)
    train(run, Commands(), RunCallbacks())
    return find_weights(folder / "run")


@frozen
class Home:
    """A folder with ten recordings of one speaker, and what `vall-e adapt` says about them."""

    folder: Path
    model: Path
    registry: Registry
    said: list

    @property
    def recordings(self) -> Path:
        return self.folder / "me"

    def record(self, name, *, text="a b c", seconds=1.0):
        path = self.recordings / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(len(name)).uniform(-0.3, 0.3, int(seconds * 16_000))
        Clip(noise.astype(np.float32), 16_000).write(path)
        if text:
            path.with_suffix(".txt").write_text(text)

    def options(self, **more):
        return AdaptOptions(
            recordings=self.recordings,
            output=self.folder / "me.lora",
            model=self.model,
            sentences=more.pop("sentences", 0),
            steps=more.pop("steps", 3),
            device="cpu",
            **more,
        )

    def adapt(self, *, commands=None, environ=(), **more):
        watch = AdaptCallbacks(self.said.append, commands or Commands())
        return run_adaptation(self.options(**more), self.registry, dict(environ), watch)


@pytest.fixture
def home(tmp_path, model, staircase) -> Home:
    home = Home(tmp_path, model, staircase, [])
    for number in range(10):
        home.record(f"{number}")
    return home
