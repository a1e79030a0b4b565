from functools import partial

import pytest
import torch
from attrs import evolve
from torch.nn.functional import cross_entropy

from vall_e.config.layer_skip import LayerSkipConfig, SpeculativeConfig
from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.ar.speculative import SpeculativeRows
from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.layer_skip import LayerSkip, Skipping, layer_skip_of, skipped_pass
from vall_e.model.lora import Terms, adapters, attach, places
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=3, codebook_size=16, vocabulary=12, languages=1)
DEPTH = 4


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


@pytest.fixture
def model(registry):
    backbone = {"name": "llama", "d_model": 32, "layers": DEPTH, "heads": 2}
    torch.manual_seed(0)
    return build_valle(tiny_config(registry, model={"backbone": backbone}).model, SIZES)


def _example(seed: int, level: int) -> Example:
    """Of eight frames for a seed of 0, two more for each one after it."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 16, (3, 12 + 2 * seed), generator=generator)
    text = torch.randint(0, 12, (5,), generator=generator)
    sample = Sample(text, 0, codes[:, :4], codes[:, 4:])
    return Example(tuple(Tts(TtsConfig()).segments(sample, level=level)), level)


def _at(step: int, **options) -> Skipping:
    return LayerSkip(LayerSkipConfig(**options), DEPTH, 101).at(step)


def test_later_layers_are_left_out_more_and_more_as_training_continues():
    assert _at(0, dropout=0.2).dropout == (0, 0, 0, 0)
    halfway, end = _at(50, dropout=0.2).dropout, _at(100, dropout=0.2).dropout
    assert end == pytest.approx((0, 0.2 * (2 ** (1 / 3) - 1), 0.2 * (2 ** (2 / 3) - 1), 0.2))
    assert halfway == pytest.approx([chance * (2**0.5 - 1) for chance in end])
    assert _at(0, dropout=0.2, growth="none").dropout == pytest.approx(end)


def test_exits_count_as_in_the_paper_and_sum_up_to_one():
    shares = _at(0, exit_scale=0.5, exits="all").shares
    weights = {2: 0.5 * 1, 3: 0.5 * 3, 4: 3 + 0.5 * 3}  # exit 1 would count 0
    total = sum(weights.values())
    assert shares == pytest.approx({exit_: w / total for exit_, w in weights.items()})
    assert sum(shares.values()) == pytest.approx(1)
    assert _at(0, exits="all").shares == {4: 1.0}


def test_exits_rotate_or_grow():
    rotating = [set(_at(step, exit_scale=1.0, every=2).shares) for step in range(3)]
    assert rotating == [{3, 4}, {2, 4}, {3, 4}]
    growing = [
        set(_at(step, exit_scale=1.0, exits="gradual").shares) for step in (0, 12, 13, 26, 100)
    ]
    assert growing == [{4}, {4}, {3, 4}, {2, 3, 4}, {2, 3, 4}]


def test_skipping_nothing_is_the_plain_loss(model):
    examples = [_example(0, 0), _example(1, 2), _example(2, 0)]
    plain = model.loss(examples)
    same = model.loss(examples, skipping=Skipping((0.0,) * DEPTH, {DEPTH: 1.0}))
    torch.testing.assert_close(same.total, plain.total)
    assert same.nll.keys() == plain.nll.keys()
    assert same.tokens == plain.tokens


def test_the_losses_of_all_exits_add_up_by_their_shares(model):
    """None is lost, and none takes the place of another."""
    example = _example(0, 1)
    shares = {2: 0.25, 4: 0.75}
    losses = model.loss([example], skipping=Skipping((0.0,) * DEPTH, shares))
    embedded = model.embedding([example])
    given = {"lengths": embedded.lengths, "positions": embedded.positions, "causal": False}
    expected = {}
    x = embedded.vectors
    for layer in range(DEPTH):
        x, _ = model.backbone.span(x, first=layer, last=layer + 1, **given)
        logits = model.logits(model.backbone.exit(x)[0, -8:], 1)
        expected[layer + 1] = cross_entropy(logits, example.target.ids[1])
    torch.testing.assert_close(losses.nll["nar"], expected[4].detach())
    torch.testing.assert_close(losses.nll["nar.exit-2"], expected[2].detach())
    torch.testing.assert_close(losses.total, 0.25 * expected[2] + 0.75 * expected[4])
    assert losses.tokens == 8


def test_a_sample_that_skips_a_layer_leaves_it_as_it_came(model):
    """Each row on its own: some skip, some do not."""
    examples = [_example(seed, 1) for seed in range(6)]
    torch.manual_seed(1)
    [(_, states)] = model.exits(examples, Skipping((0.0, 0.5, 0.0, 0.0), {DEPTH: 1.0}))[0].items()
    whole, _, _ = model.hidden(examples)
    never = model.exits(examples, Skipping((0.0, 0.999999, 0.0, 0.0), {DEPTH: 1.0}))[0][DEPTH]
    skipped = [_same(row, other, e) for row, other, e in zip(states, never, examples, strict=True)]
    ran = [_same(row, other, e) for row, other, e in zip(states, whole, examples, strict=True)]
    assert set(skipped) == {True, False}
    assert ran == [not one for one in skipped]


def _same(states, other, example):
    """Up to the padding."""
    return torch.allclose(states[: len(example)], other[: len(example)], atol=1e-5)


def test_factors_of_kinds_weigh_the_losses_of_exits_alike(model):
    examples, shares = [_example(0, 0), _example(1, 1)], Skipping((0.0,) * DEPTH, {2: 0.3, 4: 0.7})
    plain = model.loss(examples, skipping=shares).total
    weighed = model.loss(examples, skipping=shares, factors={"response": 2.0}).total
    torch.testing.assert_close(weighed, 2 * plain)


def test_the_auxiliary_losses_of_all_layers_add_up(model):
    class Routed:
        depth = DEPTH

        def span(self, x, *, first, **rest):
            return x, torch.tensor(1.0 + first)

        def exit(self, x):
            return x

    embedded = model.embedding([_example(0, 0)])
    _, auxiliary = skipped_pass(
        Routed(),
        Skipping((0.0,) * DEPTH, {DEPTH: 1.0}),
        embedded,
        embedded.vectors,
        causal=True,
        predicting=model.predicting,
        levels=[0],
    )
    assert auxiliary == 1 + 2 + 3 + 4


def test_a_lora_of_one_level_goes_with_its_rows_where_some_rows_skip(model):
    """Rows are fewer in a layer that some skip, and each keeps its own level."""
    examples = [_example(seed, level) for seed, level in enumerate((2, 1, 2, 1, 2, 1))]
    attach(model, places(model), Terms(2, 6.0, levels=(1,)))
    for adapter in adapters(model).values():
        torch.nn.init.normal_(adapter.lora_b, std=0.3)
    some = Skipping((0.0, 0.5, 0.0, 0.0), {DEPTH: 1.0})
    torch.manual_seed(1)
    together = _last(model, examples, some)
    outcomes = set()
    for example, found in zip(examples, together, strict=True):
        ran, skipped = (
            _last(model, [example], Skipping((0.0, chance, 0.0, 0.0), {DEPTH: 1.0}))[0]
            for chance in (0.0, 0.999999)
        )
        length = len(ran)
        outcomes.add(
            (
                torch.allclose(found[:length], ran, atol=1e-4),
                torch.allclose(found[:length], skipped, atol=1e-4),
            )
        )
    assert outcomes == {(True, False), (False, True)}


def _last(model, examples, skipping):
    return model.exits(examples, skipping)[0][DEPTH]


def test_gradients_come_from_the_exits_of_the_step_alone(model):
    skipping = Skipping((0.0,) * DEPTH, {2: 1.0, DEPTH: 0.0})
    model.loss([_example(0, 0)], skipping=skipping).total.backward()
    layers = model.backbone.layers
    reached = [any(p.grad.any() for p in layer.parameters()) for layer in layers]
    assert reached == [True, True, False, False]


@pytest.mark.slow
def test_early_exits_learn_a_batch_by_heart(model):
    examples = [_example(0, 0), _example(1, 0), _example(2, 1)]
    skip = LayerSkip(LayerSkipConfig(dropout=0.1, exit_scale=1.0), DEPTH, 120)
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    torch.manual_seed(0)
    for step in range(120):
        optimizer.zero_grad()
        model.loss(examples, skipping=skip.at(step)).total.backward()
        optimizer.step()
    found = model.loss(examples, skipping=Skipping((0.0,) * DEPTH, {2: 0.5, DEPTH: 0.5}))
    assert found.accuracy["ar.exit-2"] == found.accuracy["ar"] == 1
    assert found.accuracy["nar.exit-2"] == found.accuracy["nar"] == 1
    _require_right_drafts(model.eval(), examples[0])


def _require_right_drafts(model, example):
    """Two layers then write what all would, and nearly all of it is accepted."""
    text, prompt = example.segments[0].ids, example.segments[-2].ids
    sample = Sample(text, 0, prompt, torch.empty(1, 0, dtype=torch.long))
    options = SpeculativeConfig(layers=2, drafts=3)
    [written] = decode_ar(
        model,
        Tts(TtsConfig()),
        [sample],
        draw=Greedy(),
        generators=[torch.Generator()],
        max_frames=[20],
        read=partial(SpeculativeRows, options),
    )
    assert written.level_0.equal(example.target.ids[0])
    assert written.ended
    assert written.effort.plain() == {"drafted": 6, "accepted": 6}


def test_a_backbone_without_layers_says_so(model):
    class Whole(torch.nn.Module):
        d_model, bidirectional, caches = 16, True, True

        def new_cache(self, batch, max_length): ...

    options = LayerSkipConfig(exit_scale=0.2)
    assert layer_skip_of(LayerSkipConfig(), Whole(), name="gru", max_steps=9) is None
    with pytest.raises(ConfigError, match="backbone gru cannot run its layers one by one"):
        layer_skip_of(options, Whole(), name="gru", max_steps=9)
    for given in (options, LayerSkipConfig(dropout=0.2)):
        found = layer_skip_of(given, model.backbone, name="llama", max_steps=9)
        assert found == LayerSkip(evolve(given), DEPTH, 9)
