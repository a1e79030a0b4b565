import pytest
import torch
from attrs import evolve

from vall_e.interfaces.task import Sample
from vall_e.model.embedding import Embedding, ModelSizes
from vall_e.model.sequence import Example, Segment
from vall_e.tasks.ns import NoiseSuppression
from vall_e.tasks.options import NoiseConfig, TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

TEXTS = ("read", "text")
SIZES = ModelSizes(levels=4, codebook_size=16, vocabulary=12, languages=1)


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


def test_a_marker_is_a_position_like_any_other(config):
    """Else all that follows would stand one place too early."""
    codes = torch.arange(16).reshape(4, 4) % 16
    sample = Sample(torch.tensor([1, 5, 2]), 0, None, codes, input=codes[:, :2])
    task = NoiseSuppression(NoiseConfig(language=False))
    example = Example(tuple(task.segments(sample, level=0)), 0)
    found = Embedding(config, evolve(SIZES, markers=("ns",)), 8)([example])
    assert found.positions.tolist() == [[0, 1, 2, 3, 0, 1, 0, 1, 0, 1, 2, 0, 1, 2, 3]]
    assert found.lengths.tolist() == [15]


def test_a_text_that_is_read_is_embedded_like_one_that_is_said(config):
    embedding = _embedding(evolve(config, text_stride=3))
    ids = torch.tensor([1, 5, 2])
    read, said = (Example((Segment(name, ids), Segment("text", ids[1:2])), 0) for name in TEXTS)
    torch.testing.assert_close(embedding([read]).vectors, embedding([said]).vectors)
    assert embedding([read]).positions.equal(embedding([said]).positions)


def test_a_prompt_is_the_sum_of_all_its_levels(config):
    embedding, example = _embedding(config), _example(0)
    prompt = example.segments[2].ids
    wanted = sum(embedding.prompt[i](prompt[i]) for i in range(4))
    torch.testing.assert_close(embedding([example]).vectors[0][6:8], wanted)


def test_a_prompt_of_known_levels_is_the_newest_without_sums(config):
    embedding = _embedding(evolve(config, embedding_sums=False, prompt_levels="known"))
    example = _example(2)
    prompt = example.segments[2].ids
    torch.testing.assert_close(embedding([example]).vectors[0][6:8], embedding.prompt[1](prompt[1]))


@pytest.mark.parametrize("sums", [True, False])
def test_a_response_is_its_known_levels(config, sums):
    embedding, example = _embedding(evolve(config, embedding_sums=sums)), _example(3)
    codes = example.target.ids
    parts = [embedding.response[i + 1](codes[i]) for i in range(3)]
    wanted = sum(parts) if sums else parts[-1]
    torch.testing.assert_close(embedding([example]).vectors[0][-4:], wanted)


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


def _by_rows(embedding: Embedding, example: Example):
    """The same in the plainest way: segment by segment, level by level."""
    level, parts = example.level, []
    for segment in example.segments:
        ids = segment.ids
        if segment.name == "prompt":
            known = ids if embedding.whole_prompt else ids[: max(level, 1)]
            vectors = [embedding.prompt[i](row) for i, row in enumerate(known)]
            total = embedding.sums or embedding.whole_prompt
        elif segment.name == "response":
            known = ids[: max(level, 1)]
            shift = int(level > 0)
            vectors = [embedding.response[i + shift](row) for i, row in enumerate(known)]
            total = embedding.sums
        else:
            vectors, total = [getattr(embedding, segment.name)(ids)], False
        parts += [sum(vectors) if total else vectors[-1], embedding.separator[None]]
    return torch.cat(parts[:-1])


def _mixed(seed: int, level: int) -> Example:
    generator = torch.Generator().manual_seed(seed)

    def draw(high, *shape):
        return torch.randint(high, shape, generator=generator)

    prompt = draw(16, 4, 1 + seed) if seed % 2 else None
    known = draw(16, max(level, 1), 3 * seed)  # the first has drawn nothing yet
    sample = Sample(draw(12, 5 + seed), seed % 2, prompt, known)
    return Example(tuple(Tts(TtsConfig()).segments(sample, level=level)), level)


@pytest.mark.parametrize("levels", [[0, 0, 0], [1, 3, 2, 3, 1]], ids=["ar", "nar"])
@pytest.mark.parametrize("prompt_levels", ["all", "known"])
@pytest.mark.parametrize("sums", [True, False])
def test_a_batch_is_embedded_as_its_rows_one_by_one(config, sums, prompt_levels, levels):
    torch.manual_seed(0)
    changed = evolve(config, embedding_sums=sums, prompt_levels=prompt_levels)
    embedding = Embedding(changed, evolve(SIZES, languages=2), 8)
    examples = [_mixed(seed, level) for seed, level in enumerate(levels)]
    batch = embedding(examples)
    rows = [_by_rows(embedding, example) for example in examples]
    assert batch.lengths.tolist() == [len(row) for row in rows] == [len(e) for e in examples]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    torch.testing.assert_close(batch.vectors, padded, rtol=0, atol=1e-6)
    weight = torch.randn(padded.shape)
    ours = torch.autograd.grad(
        (batch.vectors * weight).sum(), embedding.parameters(), allow_unused=True
    )
    theirs = torch.autograd.grad((padded * weight).sum(), embedding.parameters(), allow_unused=True)
    for mine, plain in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, plain, rtol=0, atol=1e-5)


def test_a_table_is_read_once_for_all_rows(config):
    embedding = _embedding(config)
    reads = []
    for table in embedding.modules():
        if isinstance(table, torch.nn.Embedding):
            table.register_forward_hook(lambda table, *_: reads.append(table))
    embedding([_example(level) for level in (1, 2, 3, 3, 2)])
    assert len(reads) == len(set(reads)) == 2 + 4 + 3
