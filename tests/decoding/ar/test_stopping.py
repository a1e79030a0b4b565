import pytest
import torch

from vall_e.config.synthesis import SynthesisConfig
from vall_e.decoding.ar.stopping import Bounds, HoldStop
from vall_e.errors import ConfigError
from vall_e.synthesis.request import Request

OPTIONS = SynthesisConfig(seconds_per_symbol=(0.02, 0.3), max_seconds=12.0)
RATE = 50.0


@pytest.mark.parametrize(
    ("symbols", "max_seconds", "bounds"),
    [
        (10, None, Bounds(10, 200)),  # 0.2 s, and 3 s with a second on top
        (100, None, Bounds(100, 600)),  # as long as the config allows
        (10, 1.0, Bounds(10, 50)),
        (10, 20.0, Bounds(10, 200)),
        (10, 0.1, Bounds(5, 5)),
        (10, 0.001, Bounds(1, 1)),
    ],
)
def test_the_number_of_symbols_bounds_the_number_of_frames(symbols, max_seconds, bounds):
    assert Bounds.of(symbols, RATE, OPTIONS, max_seconds) == bounds


def test_bounds_move_with_what_is_there_already_and_with_what_is_allowed():
    bounds = Bounds(10, 200)
    assert bounds.after(8) == Bounds(9, 208)
    assert bounds.within(None, RATE) is bounds
    assert bounds.within(2.0, RATE) == Bounds(10, 100)
    assert bounds.within(20.0, RATE) == bounds
    assert bounds.within(0.1, RATE) == Bounds(5, 5)
    assert bounds.within(0.001, RATE) == Bounds(1, 1)


def test_a_length_out_of_bounds_is_a_fault():
    bounds = Bounds(10, 200)
    assert bounds.fault(10, True, RATE) == ""
    assert bounds.fault(9, True, RATE).startswith("lasts only 0.18 s")
    assert bounds.fault(200, False, RATE).startswith("was cut off after 4.00 s")


def test_the_stop_token_waits_for_the_first_frame():
    hold, logits = HoldStop(2), torch.zeros(1, 3)
    assert hold(torch.zeros(1, 0, dtype=torch.long), logits).tolist() == [[0, 0, -torch.inf]]
    assert hold(torch.zeros(1, 1, dtype=torch.long), logits) is logits
    assert logits.tolist() == [[0, 0, 0]]


def test_each_row_waits_for_its_fewest_frames():
    hold, logits = HoldStop(1, torch.tensor([0, 2, 3])), torch.zeros(3, 2)

    def held(frames, rows=3):
        after = hold(torch.zeros(rows, frames, dtype=torch.long), logits[:rows])
        return (after[:, 1] == -torch.inf).tolist()

    assert held(0) == [True, True, True]
    assert held(1) == [False, True, True]
    hold.select(torch.tensor([2, 0]))
    assert held(2, rows=2) == [True, False]
    assert held(3, rows=2) == [False, False]


@pytest.mark.parametrize("sampling", [{}, {"beams": 2, "ar": ["greedy"]}], ids=["drawn", "beams"])
def test_held_ends_make_short_sentences_long_enough_alone_and_side_by_side(speaker, sampling):
    """Even of a model that would end each of them at once."""
    short = {"seconds_per_symbol": [0.02, 0.25], "max_seconds": 5.0}
    tiny, held = (speaker(sampling=sampling, **short, hold_end=h) for h in (False, True))
    for each in (tiny, held):
        torch.nn.init.constant_(each.model.heads.layers[0].bias[-1:], 50.0)
    requests = [Request(text, seed=1) for text in ("one of them.", "the other is a longer one.")]
    [warned] = tiny.synthesize(requests[0]).warnings
    assert "lasts only" in warned
    together = held.synthesize_batch(requests)
    for request, result in zip(requests, together, strict=True):
        fewest = held._planner(request, None).job(0).bounds.fewest
        assert fewest > 1
        assert [s.codes.frames for s in result.sentences] == [fewest]
        assert not result.warnings
        alone = held.synthesize(request)
        assert alone.sentences[0].codes.frames == fewest


def test_held_ends_are_refused_where_nothing_ends_by_itself(speaker):
    with pytest.raises(ConfigError, match=r"synthesis\.hold_end has no effect here: a step"):
        speaker(model={"pattern": "delay", "capabilities": ["ar"]}, hold_end=True)
