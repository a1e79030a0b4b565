"""The examples of the Python API run."""

import importlib.util
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vall_e.audio.clip import Clip
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing import SamplerContract
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_model import tiny_bundle

FOLDER = Path(__file__).parents[2] / "examples"
SHORT = {"max_seconds": 0.1, "seconds_per_symbol": [0.0, 0.25]}


def example(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def staircase(registry):
    return Registry([*registry.offers, *registry_of([components]).offers])


@pytest.fixture(scope="module")
def bundle(staircase):
    codec = components.build_staircase(components.StaircaseConfig())
    return tiny_bundle(staircase, codec, codec="staircase", synthesis=SHORT)


@pytest.fixture(scope="module")
def synthesizer(bundle):
    return Synthesizer.of(bundle, bundle.config.codec.build())


def test_speak(synthesizer, tmp_path, capsys):
    example("speak").main(synthesizer, "hello", str(tmp_path / "a.wav"))
    assert "the same samples again: True" in capsys.readouterr().out
    assert Clip.read(tmp_path / "a.wav").seconds > 0


def test_stream(synthesizer, capsys):
    out = BytesIO()
    result = example("stream").main(synthesizer, "one.\n\ntwo.", out)
    out.seek(0)
    samples, rate = soundfile.read(out)
    assert len(samples) / rate == pytest.approx(result.seconds)
    assert "first audio after" in capsys.readouterr().err


def test_keep_a_voice(synthesizer, tmp_path):
    tone = 0.4 * np.sin(np.arange(16_000) / 10)
    Clip(tone.astype(np.float32), 16_000).write(tmp_path / "me.wav")
    path = tmp_path / "me.voice.safetensors"
    results = example("keep_a_voice").main(synthesizer, str(tmp_path / "me.wav"), str(path))
    assert [result.provenance["voice"] for result in results] == ["me", "me"]
    assert (tmp_path / "2.wav").is_file()


class TestEpsilon(SamplerContract):
    def make(self):
        module = example("write_a_sampler")
        return module.Epsilon(module.EpsilonConfig(p=0.01))


def test_write_a_sampler(staircase, bundle, tmp_path):
    from vall_e.weights.file import save

    save(bundle, tmp_path / "tiny.safetensors")
    synthesizer = example("write_a_sampler").main(staircase, tmp_path / "tiny.safetensors")
    assert synthesizer.config.sampling.ar[0].options.p == 0.01
    assert len(synthesizer.synthesize("hello").audio)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_an_example_fits_on_a_page(path):
    assert len(path.read_text().splitlines()) < 60
