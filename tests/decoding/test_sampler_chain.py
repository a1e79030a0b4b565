import pytest
import torch

from vall_e.categorical import draw_categorical
from vall_e.decoding.sampler_chain import UNUSABLE, Chain
from vall_e.errors import CheckpointError, ConfigError

HISTORY = torch.zeros(2, 3, dtype=torch.long)
LOGITS = torch.tensor([[0.0, 5.0, 1.0], [2.0, 0.0, 1.0]])


class Add:
    """A processor that adds to one token's logit."""

    def __init__(self, token, amount):
        self.token, self.amount = token, amount

    def __call__(self, history, logits):
        logits = logits.clone()
        logits[:, self.token] += self.amount
        return logits


class Double:
    def __call__(self, history, logits):
        return logits * 2


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


def generators(seed=0):
    return [torch.Generator().manual_seed(seed + row) for row in range(2)]


def test_processors_run_in_their_order():
    double_first = Chain([Double(), Add(2, 7.0), Greedy()])
    add_first = Chain([Add(2, 7.0), Double(), Greedy()])
    assert double_first.draw(HISTORY, LOGITS, generators()).tolist() == [1, 2]
    assert add_first.draw(HISTORY, LOGITS, generators()).tolist() == [2, 2]


def test_a_chain_without_a_draw_draws_from_the_distribution():
    for seed in range(10):
        drawn = Chain([Double()]).draw(HISTORY, LOGITS, generators(seed))
        assert torch.equal(drawn, draw_categorical(LOGITS * 2, generators(seed)))


def test_an_empty_chain_draws():
    assert Chain([]).draw(HISTORY, LOGITS, generators()).shape == (2,)


def test_only_the_last_may_draw():
    with pytest.raises(ConfigError) as caught:
        Chain([Greedy(), Double()], names=["greedy", "double"], where="sampling.ar")
    assert caught.value.message == "sampling.ar[0]: greedy draws a token, so nothing can follow it"
    assert caught.value.hint == "move greedy to the end of sampling.ar, or remove it"


@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
def test_a_row_of_logits_that_are_not_numbers_gets_no_token(bad):
    logits = LOGITS.clone()
    logits[1] = bad
    assert Chain([Greedy()]).draw(HISTORY, logits, generators()).tolist() == [1, UNUSABLE]
    with pytest.raises(CheckpointError, match="no usable probabilities"):
        Chain([]).shaped(HISTORY, logits)


@pytest.mark.parametrize(
    ("model", "level"), [({}, 0), ({}, 1), ({"pattern": "delay", "capabilities": ["ar"]}, 1)]
)
def test_a_damaged_output_layer_is_reported_whatever_it_writes(speaker, model, level):
    synthesizer = speaker(model=model)
    torch.nn.init.constant_(synthesizer.model.heads.layers[level].weight, float("nan"))
    with pytest.raises(CheckpointError, match="no usable probabilities"):
        synthesizer.synthesize("oh.", seed=1)


def test_what_comes_before_the_samplers_is_not_counted_among_them():
    chain = Chain([Greedy()], before=[Add(2, 9.0)])
    assert chain.draw(HISTORY, LOGITS, generators()).tolist() == [2, 2]


class Count:
    """Adds to the last token what it has seen of a row."""

    def __init__(self):
        self.seen = None

    def __call__(self, history, logits):
        self.seen = torch.zeros(len(logits)) if self.seen is None else self.seen + 1
        return logits

    def select(self, rows):
        self.seen = self.seen[rows] + rows


def test_state_in_an_inner_chain_learns_which_rows_stay():
    count = Count()
    chain = Chain([Add(0, 1.0), Chain([count])])
    chain.draw(HISTORY, LOGITS, generators())
    chain.select(torch.tensor([1]))
    assert count.seen.tolist() == [1]


def test_a_chain_names_its_samplers_with_state():
    chain = Chain([Double(), Count()], names=["double", "count"], where="sampling.nar")
    assert chain.stateful == ("count (2)",)
    assert Chain([Double(), Greedy()]).stateful == ()


def test_a_decoder_refuses_mirostat_for_the_nar_stage_at_once(speaker):
    with pytest.raises(
        ConfigError, match=r"sampling\.nar: mirostat-v2 \(1\) keeps state from frame to frame"
    ) as caught:
        speaker(sampling={"nar": ["mirostat-v2"]})
    assert caught.value.hint == "remove it from sampling.nar; it belongs in sampling.ar"
    assert speaker(sampling={"ar": ["mirostat-v2"]}).synthesize("two. three.", seed=1).audio.size
