import pytest
import torch

from vall_e.decoding.nar.prefix_cache import SharedHead, level_passes
from vall_e.interfaces.task import Sample
from vall_e.model.lora import Terms, attach, places
from vall_e.model.sequence import Example, without


@pytest.fixture
def model(speaker):
    return speaker(model={"nar_attention": "causal"}).model


@pytest.fixture
def samples():
    chance = torch.Generator().manual_seed(0)

    def sample(text, frames):
        return Sample(
            text=torch.randint(4, 20, (text,), generator=chance),
            language=0,
            prompt=torch.randint(8, (3, 4), generator=chance),
            response=torch.randint(8, (3, frames), generator=chance),
        )

    return [sample(7, 5), sample(3, 6)]


def _examples(task, samples, level):
    return [Example(tuple(task.segments(sample, level=level)), level) for sample in samples]


@pytest.mark.parametrize("texts", ["both", "one", "none"])
def test_a_text_that_is_read_once_counts_for_every_level(speaker, model, samples, texts):
    """Whether rows are equally long or not, and where guidance has one without a text."""
    kept = {"both": 2, "one": 1, "none": 0}[texts]
    samples = samples[:kept] + [without(sample, ["text"]) for sample in samples[kept:]]
    passes, task = level_passes(model), speaker().task
    assert isinstance(passes, SharedHead)
    with torch.inference_mode():
        for level in (1, 2):
            examples = _examples(task, samples, level)
            torch.testing.assert_close(
                passes(examples, 5), model.last_states(examples, 5), rtol=1e-4, atol=1e-5
            )


def test_where_the_text_attends_to_what_follows_every_level_reads_it_again(tiny):
    assert not isinstance(level_passes(tiny.model), SharedHead)


def test_a_lora_for_some_levels_reads_the_text_in_its_own_way(model):
    attach(model, places(model, include=["*.q_proj"]), Terms(rank=1, alpha=1.0, levels=(1,)))
    assert not isinstance(level_passes(model), SharedHead)
