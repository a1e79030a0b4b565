import pytest
import torch
from attrs import evolve

from vall_e.interfaces import Sample
from vall_e.model.embedding import Embedding, Sizes
from vall_e.model.sequence import Example
from vall_e.tasks.components import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.tiny import tiny_config

SIZES = Sizes(levels=4, codebook_size=16, vocabulary=12, languages=1)


@pytest.fixture
def config(registry):
    return tiny_config(registry).model


def _example(level: int) -> Example:
    """Three phonemes, the level, two frames of prompt, four of response."""
    codes = torch.arange(16).reshape(4, 4) % 16
    sample = Sample(torch.tensor([1, 5, 2]), 0, codes[:, :2], codes)
    return Example(tuple(Tts(TtsConfig(language=False)).segments(sample, level=level)), level)


def _embedding(config) -> Embedding:
    torch.manual_seed(0)
    return Embedding(config, SIZES, 8)


@pytest.mark.parametrize(
    ("changes", "positions"),
    [
        ({}, [0, 1, 2, 3, 0, 1, 0, 1, 2, 0, 1, 2, 3]),
        ({"text_stride": 3}, [0, 3, 6, 9, 0, 1, 0, 1, 2, 0, 1, 2, 3]),
        ({"positions": "unified"}, list(range(13))),
    ],
)
def test_positions_restart_or_run_on(config, changes, positions):
    embedding = _embedding(evolve(config, **changes))
    assert embedding([_example(0)]).positions.tolist() == [positions]


def test_a_prompt_is_the_sum_of_all_its_levels(config):
    embedding, example = _embedding(config), _example(0)
    prompt = example.segments[2].ids
    wanted = sum(embedding.prompt[i](prompt[i]) for i in range(4))
    torch.testing.assert_close(embedding.sequence(example)[6:8], wanted)


def test_a_prompt_of_known_levels_is_the_newest_without_sums(config):
    embedding = _embedding(evolve(config, embedding_sums=False, prompt_levels="known"))
    example = _example(2)
    prompt = example.segments[2].ids
    torch.testing.assert_close(embedding.sequence(example)[6:8], embedding.prompt[1](prompt[1]))


@pytest.mark.parametrize("sums", [True, False])
def test_a_response_is_its_known_levels(config, sums):
    embedding, example = _embedding(evolve(config, embedding_sums=sums)), _example(3)
    codes = example.target.ids
    parts = [embedding.response[i + 1](codes[i]) for i in range(3)]
    wanted = sum(parts) if sums else parts[-1]
    torch.testing.assert_close(embedding.sequence(example)[-4:], wanted)


def test_the_two_stages_read_level_0_by_tables_of_their_own(config):
    embedding = _embedding(config)
    codes = torch.tensor([[1, 2, 3]])
    assert not torch.allclose(
        embedding.response_codes(codes, 0), embedding.response_codes(codes, 1)
    )


def test_one_head_or_one_for_each_level(config):
    from vall_e.model.heads import Heads

    assert len(Heads("split", SIZES, 8).layers) == 4
    single = Heads("single", SIZES, 8)
    assert len(single.layers) == 1
    hidden = torch.randn(2, 8)
    assert single(hidden, 0).shape == (2, 17)
    assert single(hidden, 3).shape == (2, 16)
