import pytest
from attrs import evolve

from vall_e.decoding.compatibility import ModelFacts, require_fit
from vall_e.errors import ConfigError
from vall_e.testing.fakes.tiny_model import tiny_bundle


@pytest.fixture
def fitted(registry, codec):
    def fit(*, refines=True, **sampling):
        bundle = tiny_bundle(registry, codec)
        options = evolve(bundle.config.sampling, **sampling)
        require_fit(
            ModelFacts(
                sampling=options, model=bundle.model, attempts=1, masked=False, refines=refines
            )
        )

    return fit


@pytest.mark.parametrize(
    ("sampling", "says", "hint"),
    [
        (
            {"nar_guidance": 2.0, "refines": False},
            "sampling.nar_guidance: 2 has no effect: no NAR stage writes levels of this model",
            "set sampling.nar_guidance: 1, and sampling.guidance for what it writes",
        ),
        (
            {"guidance_rescale": 0.5, "nar_guidance": 2.0},
            "sampling.guidance_rescale: 0.5 has no effect without sampling.guidance",
            "set sampling.guidance: 2, for example, or sampling.guidance_rescale: 0.0",
        ),
        (
            {"nar_guidance_rescale": 0.5, "guidance": 2.0},
            "sampling.nar_guidance_rescale: 0.5 has no effect without sampling.nar_guidance",
            "set sampling.nar_guidance: 2, for example, or sampling.nar_guidance_rescale: 0.0",
        ),
        (
            {"length_power": 0.5},
            "sampling.length_power: 0.5 has no effect without sampling.beams",
            "set sampling.beams: 4, for example, or sampling.length_power: 1.0",
        ),
        (
            {"score": "text"},
            "sampling.score: text has no effect without sampling.candidates",
            "set sampling.candidates: 4, for example, or sampling.score: likelihood",
        ),
    ],
)
def test_what_would_do_nothing_is_refused(fitted, sampling, says, hint):
    with pytest.raises(ConfigError) as caught:
        fitted(**sampling)
    assert (caught.value.message, caught.value.hint) == (says, hint)


def test_the_same_options_count_beside_what_they_serve(fitted):
    fitted(guidance=2.0, guidance_rescale=0.5, nar_guidance=2.0, nar_guidance_rescale=0.5)
    fitted(candidates=2, score="text")


@pytest.mark.parametrize(
    ("capabilities", "hint"),
    [
        (["len", "nar"], "set sampling.candidates: 1, or use a model with the capability ar"),
        (["ar", "len", "nar"], "set sampling.candidates: 1, or set sampling.level_0: ar"),
    ],
)
def test_a_hint_is_one_that_the_model_can_follow(registry, codec, capabilities, hint):
    bundle = tiny_bundle(registry, codec, model={"capabilities": capabilities})
    options = evolve(bundle.config.sampling, candidates=2)
    facts = ModelFacts(sampling=options, model=bundle.model, attempts=1, masked=True, refines=True)
    with pytest.raises(ConfigError) as caught:
        require_fit(facts)
    assert caught.value.hint == hint
