import numpy as np
import pytest
from attrs import evolve

from vall_e.audio.clip import Clip
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import save

# An untrained model hardly ever ends a sentence, so these end early.
SHORT = {"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25], "chunk_seconds": 0.1}


@pytest.fixture(scope="session")
def registry(registry):
    """With a codec that needs no weights, as a distribution `staircase` offers it."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@pytest.fixture(scope="session")
def codec():
    return components.build_staircase(components.StaircaseConfig())


@pytest.fixture(scope="session")
def weights(registry, codec, tmp_path_factory):
    """A tiny model as a file."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save(tiny_bundle(registry, codec, codec="staircase", synthesis=SHORT), path)
    return path


@pytest.fixture(scope="session")
def speaker(registry, codec):
    """Make a tiny synthesizer; keywords are options of `synthesis`."""

    def make(*, sampling=None, model=None, codec=codec, voices=None, **options):
        changes = {"synthesis": {**SHORT, **options}}
        if sampling:
            changes["sampling"] = sampling
        if model:
            backbone = {"name": "llama", "d_model": 32, "layers": 2, "heads": 2}
            changes["model"] = {"backbone": backbone, **model}
        bundle = tiny_bundle(registry, codec, **changes)
        return Synthesizer(Parts.of(bundle, codec), voices=voices, device="cpu")

    return make


@pytest.fixture(scope="session")
def tiny(speaker):
    return speaker()


@pytest.fixture
def tone():
    """Two seconds of something loud enough to be a recording."""
    time = np.arange(2 * 16_000) / 16_000
    wave = 0.3 * np.sin(2 * np.pi * 220 * time) * (1 + np.sin(2 * np.pi * 3 * time)) / 2
    return Clip(wave.astype(np.float32), 16_000)
