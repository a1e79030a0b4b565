"""`vall-e synth` with effects, whose component a distribution offers."""

import numpy as np
import pytest
import soundfile
from attrs import field, frozen
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.registry import Component, Offer, Registry

HELD = 80


@frozen
class Nothing:
    """No options."""


@frozen
class CtrlC:
    """Holds the last samples back; at its third piece the user stops the command."""

    pieces: list[int] = field(factory=list)

    def stream(self, sample_rate, provenance):
        return Held(self.pieces)


class Held:
    def __init__(self, pieces):
        self.pieces = pieces
        self.rest = np.zeros(0, np.float32)

    def push(self, audio):
        self.pieces.append(len(audio))
        if len(self.pieces) == 3:
            raise KeyboardInterrupt
        both = np.concatenate([self.rest, audio])
        cut = max(0, len(both) - HELD)
        self.rest = both[cut:]
        return both[:cut]

    def flush(self):
        return self.rest


@pytest.mark.parametrize("way", [[], ["--stream"]], ids=["whole", "streamed"])
def test_ctrl_c_keeps_what_an_effect_holds_back(weights, registry, tmp_path, way):
    pieces = []
    effect = Component(
        name="ctrl-c", config=Nothing, build=lambda _: CtrlC(pieces), summary="a test"
    )
    offers = [*registry.offers, Offer("audio-effect", effect, "effects", "1", "effects")]
    path = tmp_path / "a.wav"
    words = ["synth", "hello. so what? yes.", "-m", str(weights), "--seed", "1", "-o", str(path)]
    words += ["--set", "synthesis.effects=[ctrl-c]", "--set", "synthesis.chunk_seconds=0.01", *way]
    done = CliRunner().invoke(cli, words, obj=App(environ={}, registry=Registry(offers)))
    assert done.exit_code == 130, done.output
    assert len(soundfile.read(path)[0]) == sum(pieces[:2])
