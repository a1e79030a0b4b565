"""Options that change what is read, what counts, and what is drawn in training, and only that."""

import math
import random

import pytest
import torch
from attrs import evolve

from vall_e.config.load import structure
from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample, Segment
from vall_e.model.embedding import ModelSizes
from vall_e.model.level_sampling import level_sampler
from vall_e.model.sequence import Example, kinds_of
from vall_e.model.token_dropout import TokenDropout, with_errors
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=4, codebook_size=16, vocabulary=12, languages=1)
FRAMES = 40


@pytest.fixture
def config(registry):
    return tiny_config(registry).model


def _model(config):
    torch.manual_seed(0)
    return build_valle(config, SIZES).train()


def _example(level: int, seed: int = 0) -> Example:
    """Five phonemes, the level, three frames of prompt, forty of response."""
    draw = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 16, (4, FRAMES + 3), generator=draw)
    text = torch.randint(0, 12, (5,), generator=draw)
    sample = Sample(text, 0, codes[:, :3], codes[:, 3:])
    return Example(tuple(Tts(TtsConfig(language=False)).segments(sample, level=level)), level)


def test_token_dropout_puts_a_learnt_vector_in_the_place_of_frames(config):
    """Of the response alone, and while training alone."""
    model = _model(evolve(config, token_dropout=0.5))
    plain = _model(config).embedding([_example(2)]).vectors[0]
    vector = model.embedding.token_dropout.vector
    model.embedding.load_state_dict(_model(config).embedding.state_dict(), strict=False)
    found = model.embedding([_example(2)]).vectors[0]
    dropped = (found == vector).all(-1)
    assert not dropped[:-FRAMES].any()
    assert 8 < dropped.sum() < 32
    torch.testing.assert_close(found[~dropped], plain[~dropped])
    found.sum().backward()
    assert vector.grad.any()
    torch.testing.assert_close(model.eval().embedding([_example(2)]).vectors[0], plain)


def test_token_dropout_is_of_the_named_levels_alone(config):
    model = _model(evolve(config, token_dropout=0.9, token_dropout_levels=(2, 3)))
    vector = model.embedding.token_dropout.vector
    drops = [(model.embedding([_example(q)]).vectors[0] == vector).all(-1).any() for q in range(4)]
    assert drops == [False, False, True, True]


def test_without_token_dropout_there_is_no_vector(config):
    names = _model(config).state_dict().keys()
    more = _model(evolve(config, token_dropout=0.1)).state_dict().keys()
    assert more - names == {"embedding.token_dropout.vector"}


def test_code_errors_move_lower_levels_by_one_and_leave_the_target_alone():
    torch.manual_seed(0)
    example = _example(3)
    wrong = with_errors(example, 0.5, 16)
    moves = wrong.target.ids - example.target.ids
    assert not moves[3:].any()
    assert set(moves[:3].flatten().tolist()) == {-1, 0, 1}
    assert 0.3 < moves[:3].abs().float().mean() < 0.6
    assert wrong.target.ids.min() >= 0
    assert wrong.target.ids.max() <= 15
    assert wrong.segments[:-1] == example.segments[:-1]
    assert with_errors(_example(0), 1.0, 16).target.ids.equal(_example(0).target.ids)
    assert with_errors(example, 0.0, 16) is example


@pytest.mark.parametrize("level", [0, 2])
def test_each_kind_of_segment_counts_by_its_factor(config, level):
    """The sum of means, of what `ignore_inputs` false predicts."""
    model = _model(evolve(config, embedding_sums=False, prompt_levels="known"))
    examples = [_example(level), _example(level, seed=1)]
    whole = model.loss(examples, ignore_inputs=False)
    target = model.loss(examples)
    alone = {
        kind: model.loss(examples, factors={kind: 1.0}).total
        for kind in ("text", "level", "prompt", "response")
    }
    torch.testing.assert_close(alone["response"], target.total)
    counts = {"text": 5 - (level == 0), "level": 1, "prompt": 3, "response": FRAMES + (level == 0)}
    mean = sum(alone[kind] * n for kind, n in counts.items()) / sum(counts.values())
    torch.testing.assert_close(mean, whole.total)
    mixed = model.loss(examples, factors={"text": 0.5, "response": 2.0})
    torch.testing.assert_close(mixed.total, 0.5 * alone["text"] + 2 * alone["response"])
    assert mixed.tokens == whole.tokens


@pytest.mark.parametrize("level", [0, 2])
def test_ids_that_the_head_has_no_class_for_are_not_predicted(config, level):
    """Codes are 0 to 15 here, and AR has a 16 besides; nothing predicts its first id."""
    model = build_valle(config, evolve(SIZES, vocabulary=20))
    example = _example(level)
    text = Segment("text", torch.arange(14, 20))
    example = evolve(example, segments=(text, *example.segments[1:]))
    alone = model.loss([example], factors={"text": 1.0}).tokens
    assert alone - len(example.target) - 1 - (level == 0) == 2


def test_a_kind_that_cannot_be_predicted_makes_no_loss_that_is_not_a_number(config):
    """Of a prompt whose levels are summed there is nothing to predict."""
    model = _model(config)
    factors = {"prompt": 1.0, "response": 1.0}
    found = model.loss([_example(0), _example(2)], factors=factors)
    torch.testing.assert_close(found.total, model.loss([_example(0), _example(2)]).total)


def test_every_position_is_of_a_kind():
    kinds = kinds_of(_example(0))
    assert len(kinds) == len(_example(0)) + 1
    assert kinds == ["text"] * 6 + ["level"] * 2 + ["prompt"] * 4 + ["response"] * (FRAMES + 1)


def test_a_response_that_is_laid_out_in_steps_is_a_response(config):
    steps = Segment("steps", torch.zeros(2, 7, dtype=torch.long))
    example = evolve(_example(0), segments=(*_example(0).segments[:-1], steps))
    assert kinds_of(example)[-8:] == ["response"] * 8
    dropout = TokenDropout(0.9, (), 4).train()
    dropout.vector.data.fill_(1.0)
    found = dropout(torch.zeros(1, len(example), 4), [example])
    assert found[0, -7:].any()
    assert not found[0, :-7].any()


def test_levels_can_be_held_to_a_range():
    rng, draw = random.Random(0), level_sampler("auto", 8, ["ar", "nar"], within=(1, 3))
    drawn = [draw(rng) for _ in range(3000)]
    shares = [drawn.count(level) / 3000 for level in range(8)]
    assert shares == pytest.approx([0, 3 / 6, 2 / 6, 1 / 6, 0, 0, 0, 0], abs=0.04)
    with pytest.raises(
        ConfigError, match=r"level_range: this model can train no level of \[0, 0\]"
    ):
        level_sampler("auto", 8, ["nar"], within=(0, 0))
    with pytest.raises(ConfigError, match=r"cannot train the levels \[5\]"):
        level_sampler((1, 5), 8, ["nar"], within=(1, 3))


def test_normal_weights_are_a_bell_whose_deviation_is_a_quarter_of_the_levels():
    shares = level_sampler("normal", 8, ["ar", "nar"]).shares
    assert shares == pytest.approx([math.exp(-(((q - 3.5) / 2) ** 2) / 2) for q in range(8)])


@pytest.mark.parametrize(
    ("section", "options", "says"),
    [
        ("training", {"loss_factors": {"prom": 1.0}}, "not prom"),
        ("training", {"loss_factors": {"text": -1.0}}, "must be positive numbers"),
        ("training", {"level_range": [3, 1]}, "two levels, the lower first"),
        ("training", {"code_errors": 1.5}, "code_errors"),
        ("model", {"token_dropout": 1.0}, "token_dropout"),
        ("model", {"token_dropout_levels": [-1]}, "levels from 0 on"),
        ("model", {"code_vectors": "dac"}, "code_vectors"),
    ],
)
def test_values_that_mean_nothing_are_refused(registry, section, options, says):
    with pytest.raises(ConfigError, match=says):
        structure({section: options}, registry)


def test_lengths_and_texts_that_are_read_can_have_factors(registry):
    factors = {"length": 0.1, "read": 0.5, "response": 1.0}
    assert structure({"training": {"loss_factors": factors}}, registry).training.loss_factors
