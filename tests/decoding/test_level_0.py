"""Level 0 is written by the strategy that the options name."""

import pytest
import torch
from attrs import evolve, frozen

from vall_e.config.choices import StrategyChoice
from vall_e.decoding.job import Decoded
from vall_e.errors import ConfigError, PluginError
from vall_e.registry import Component
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing.fakes.tiny_model import tiny_bundle


@frozen
class Options:
    code: int = 5


class OneCode:
    """Each sentence is one code, as long as it may be."""

    capability = "ar"

    def __init__(self, code):
        self.code = code

    def deterministic(self, level_0):
        return True

    def __call__(self, level_0, jobs, attempt, on_frame):
        codes = [torch.full((1, job.bounds.most), self.code) for job in jobs]
        return [Decoded(each, ended=True) for each in codes]


class LosesOne(OneCode):
    def __call__(self, level_0, jobs, attempt, on_frame):
        return super().__call__(level_0, jobs, attempt, on_frame)[1:]


@pytest.fixture
def speaking(registry, codec):
    """A tiny synthesizer that decodes with this strategy."""

    def make(strategy=OneCode, model=None, synthesis=None, **sampling):
        built = Component(
            name="one-code",
            config=Options,
            build=lambda config, *, model: strategy(config.code),
            summary="a test",
        )
        short = {"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25], **(synthesis or {})}
        changes = {"model": model} if model else {}
        bundle = tiny_bundle(registry, codec, synthesis=short, **changes)
        changed = evolve(
            bundle.config.sampling, level_0=StrategyChoice(built, Options()), **sampling
        )
        bundle = evolve(bundle, config=evolve(bundle.config, sampling=changed))
        return Synthesizer(Parts.of(bundle, codec), device="cpu")

    return make


def test_a_strategy_of_a_plugin_writes_level_0(speaking):
    result = speaking().synthesize("hello", seed=1)
    assert set(result.codes.values[0].tolist()) == {5}
    assert result.codes.values.shape[0] > 1


def test_its_audio_is_the_same_streamed_and_in_a_batch(speaking):
    synthesizer = speaking(synthesis={"window_seconds": 0.05})
    whole = synthesizer.synthesize("hello. so", seed=1)
    chunks = list(synthesizer.stream("hello. so", seed=1))
    [batch] = synthesizer.synthesize_batch(["hello. so"])
    assert sum(len(chunk.audio) for chunk in chunks) == len(whole.audio)
    assert batch.codes.values[0].tolist() == whole.codes.values[0].tolist()


def test_a_strategy_that_loses_a_sentence_is_named(speaking):
    with pytest.raises(PluginError, match="'one-code' gave 0 results for 1 sentences"):
        speaking(LosesOne).synthesize("hello")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"beams": 2}, "sampling.beams: 2 has no effect with sampling.level_0: one-code"),
        ({"candidates": 2}, "sampling.candidates: 2 has no effect"),
        ({"synthesis": {"look_every": 4}}, "synthesis.look_every: 4 has no effect"),
        (
            {
                "model": {
                    "backbone": {"name": "llama", "d_model": 32, "layers": 2, "heads": 2},
                    "group_size": 2,
                    "pattern": "none",
                }
            },
            "one-code writes one code a step",
        ),
    ],
)
def test_what_it_would_not_do_is_refused(speaking, options, told):
    with pytest.raises(ConfigError, match=told) as caught:
        speaking(**options)
    assert caught.value.hint
