from typing import ClassVar

import numpy as np
import pytest
from attrs import evolve, frozen
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.discovery import registry_of
from vall_e.errors import UnavailableError
from vall_e.interfaces.judge import Figure, Score, Verdict
from vall_e.plugin import Component, hookimpl
from vall_e.registry import Registry
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import save

SHORT = {"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25]}


class Loudness:
    """Gives the peak; has no figure where there is no text, and a remark."""

    packages = ("numpy", "no-such-distribution")
    remarks = ("its ears are small",)

    def __init__(self, figure):
        self.figure = figure
        self.weights = {"ears": "0" * 64}
        self.figures = {figure: Figure("largest sample", better="higher")}

    def __call__(self, evidence):
        if not evidence.text:
            return Verdict({self.figure: Score(None, reason="nothing should be said")})
        peak = float(np.abs(evidence.clip.samples).max())
        return Verdict({self.figure: Score(peak)}, {"heard": f"<{evidence.text}>"})


@frozen
class Config:
    reason: str = ""
    figure: str = "peak"


def build_missing(config, *, case):
    raise UnavailableError("the judge missing needs the package ears", hint="pip install ears")


class Breaking:
    """Fails on every second clip, as code that it did not write would."""

    packages = remarks = ()
    weights: ClassVar = {}
    figures: ClassVar = {"luck": Figure("none")}

    def __init__(self):
        self.clips = 0

    def __call__(self, evidence):
        self.clips += 1
        if self.clips % 2 == 0:
            raise RuntimeError("cannot set number of interop threads")
        return Verdict({"luck": Score(1.0)})


def build_broken(config, *, case):
    raise OSError("the download was cut off")


class Judges:
    @hookimpl
    def vall_e_register_judges(self):
        return [
            Component("loud", Config, lambda config, *, case: Loudness(config.figure), "the peak"),
            Component("breaking", Config, lambda config, *, case: Breaking(), "fails"),
            Component("broken", Config, build_broken, "cannot be built"),
            Component("missing", Config, build_missing, "cannot be had"),
        ]


@pytest.fixture(scope="session")
def judges(registry):
    """The signal judge, two of a plugin, and the staircase codec."""
    plugins = registry_of([components, Judges()]).offers
    ours = [offer for offer in registry.offers if offer.kind != "judge"]
    signal = [offer for offer in registry.offers if offer.qualified == "vall-e:signal"]
    return Registry([*ours, *signal, *(evolve(o, distribution="staircase") for o in plugins)])


@pytest.fixture(scope="session")
def weights(judges, tmp_path_factory):
    codec = components.build_staircase(components.StaircaseConfig())
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save(tiny_bundle(judges, codec, codec="staircase", synthesis=SHORT), path)
    return path


@pytest.fixture
def vall_e(judges, tmp_path, monkeypatch):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        app = App(environ={"VALL_E_HOME": str(tmp_path / "home")}, registry=judges)
        return CliRunner().invoke(cli, [str(arg) for arg in args], obj=app, prog_name="vall-e")

    return run


def tone(seconds=0.5, peak=0.5, rate=8000):
    time = np.arange(round(seconds * rate)) / rate
    return Clip((peak * np.sin(2 * np.pi * 200 * time)).astype(np.float32), rate)


@pytest.fixture
def listed(tmp_path):
    """Six clips of two speakers, the louder the later, and their list."""
    rows = ["path\ttext\tspeaker\treference"]
    tone().write(tmp_path / "ann.wav")
    for number in range(6):
        tone(peak=0.1 * (number + 1)).write(tmp_path / f"{number}.wav")
        rows.append(f"{number}.wav\ttext {number}\t{'ann' if number % 2 else 'bob'}\tann.wav")
    (tmp_path / "list.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path / "list.tsv"
