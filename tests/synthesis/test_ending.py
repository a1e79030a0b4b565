import pytest
import torch

from vall_e.config.speaking import SynthesisConfig
from vall_e.synthesis.ending import Bounds, HoldStop

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
