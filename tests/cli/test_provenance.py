"""`vall-e provenance` says what a file states, and what marks are in it."""

import json

import numpy as np
import pytest
from attrs import frozen
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.errors import UnavailableError
from vall_e.registry import Component, Offer, Registry


@frozen
class Nothing:
    """No options."""


class Marker:
    def stream(self, sample_rate, provenance):
        raise NotImplementedError

    def detect(self, audio, sample_rate):
        return "loud" if np.abs(audio).max() > 0.5 else None


def build_nothing(config):
    raise UnavailableError("the package of `gone` is missing", hint="install it")


def offered(name, build):
    component = Component(name=name, config=Nothing, build=build, summary="a test")
    return Offer("audio-effect", component, "marks", "1", "marks")


@pytest.fixture
def told(tmp_path):
    def run(path, *words, offers=()):
        app = App(registry=Registry(offers))
        done = CliRunner().invoke(cli, ["provenance", str(path), *words], obj=app)
        assert done.exit_code == 0, done.output
        return done.output

    return run


@pytest.fixture
def tone(tmp_path):
    def make(peak):
        path = tmp_path / "tone.wav"
        Clip(peak * np.sin(np.arange(8000, dtype=np.float32) / 9), 16000).write(path)
        return path

    return make


def test_it_says_who_can_look_for_marks(told, tone):
    offers = [offered("marker", lambda _: Marker()), offered("gone", build_nothing)]
    assert "Watermark marker: loud" in told(tone(0.9), offers=offers)
    out = told(tone(0.1), offers=offers)
    assert "Tags: none of vall-e" in out
    assert "Watermark marker: none" in out
    assert "Watermark gone: not looked for: the package of `gone` is missing" in out
    assert "no installed component" in told(tone(0.1))


def test_it_is_json_for_programs(told, tone):
    found = json.loads(told(tone(0.9), "--json", offers=[offered("marker", lambda _: Marker())]))
    assert found == {"tags": None, "marks": {"marker": "loud"}, "unavailable": {}}
