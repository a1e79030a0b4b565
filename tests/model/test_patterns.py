import pytest
import torch
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from vall_e.errors import ConfigError
from vall_e.interfaces.task import Segment
from vall_e.model.pattern_targets import laid_out, steps_of
from vall_e.model.patterns import (
    ABSENT,
    CoarseFirst,
    Delay,
    Groups,
    Interleaved,
    from_steps,
    pattern_of,
    places_of,
    to_steps,
)
from vall_e.model.sequence import Example
from vall_e.testing.fakes.tiny_model import tiny_config

STOP = 99
patterns = st.one_of(
    st.builds(Groups, st.integers(1, 5)),
    st.builds(Delay, st.integers(2, 5), st.integers(0, 2)),
    st.builds(Interleaved, st.integers(2, 5)),
    st.builds(CoarseFirst, st.integers(2, 5)),
)


def _codes(pattern, frames):
    """No two alike."""
    levels = max(pattern.levels) + 1
    return torch.arange(levels * frames).view(levels, frames)


def _steps(pattern, frames, *, cut=0.0):
    segments = (Segment("text", torch.tensor([1])), Segment("response", _codes(pattern, frames)))
    return steps_of(laid_out(Example(segments, 0), pattern, STOP, cut=cut))


@given(patterns, st.integers(0, 12))
def test_steps_become_the_codes_that_they_were_made_of(pattern, frames):
    codes = _codes(pattern, frames)
    cells = pattern.cells(places_of(pattern, frames), frames)
    steps = to_steps(pattern, codes, cells)
    assert from_steps(pattern, steps, cells, frames).equal(codes)
    assert (cells != ABSENT).sum() == codes.numel()  # each code stands once


@given(patterns, st.integers(1, 12), st.integers(0, 30))
def test_what_is_written_before_the_end_is_known_was_right(pattern, frames, place):
    """Up to the step that says the stop token, cells do not depend on the number of frames."""
    unknown = pattern.cells(torch.tensor([place]), None)
    if unknown[0, 0] not in range(frames):
        return
    known = pattern.cells(torch.tensor([place]), frames)
    assert known.equal(unknown.masked_fill(unknown >= frames, ABSENT))


@given(patterns, st.integers(1, 12))
def test_a_level_is_written_in_the_order_of_its_frames(pattern, frames):
    cells = pattern.cells(places_of(pattern, frames), frames)
    for level in range(max(pattern.levels) + 1):
        slots = torch.tensor(pattern.levels) == level
        written = cells[slots].T.flatten()
        assert written[written != ABSENT].tolist() == list(range(frames))


@given(patterns, st.integers(0, 12))
def test_all_codes_and_one_stop_token_are_predicted(pattern, frames):
    steps = _steps(pattern, frames)
    assert steps.targets.shape[1] == steps.ids.shape[1] + 1
    assert (steps.targets == STOP).sum() == 1
    predicted = steps.targets[:, :-1]
    assert predicted[steps.ids != ABSENT].equal(steps.ids[steps.ids != ABSENT])


@pytest.mark.parametrize(
    ("pattern", "frames", "steps"),
    [
        (Groups(1), 7, 7),
        (Groups(3), 7, 3),
        (Delay(4, by=0), 7, 7),
        (Delay(4), 7, 10),
        (Interleaved(4), 7, 28),
        (CoarseFirst(4), 7, 14),
        (Delay(4), 0, 0),
    ],
)
def test_the_number_of_steps_of_an_utterance(pattern, frames, steps):
    assert len(places_of(pattern, frames)) == steps


def test_levels_stand_as_in_the_figure_of_the_paper():
    gone = ABSENT
    assert _steps(Delay(2), 2).ids.tolist() == [[0, 1, gone], [gone, 2, 3]]
    assert _steps(Delay(2), 2).targets.tolist() == [[0, 1, STOP, gone], [gone, 2, 3, gone]]
    interleaved = [[0, gone, 1, gone], [gone, 2, gone, 3]]
    assert _steps(Interleaved(2), 2).ids.tolist() == interleaved
    assert _steps(CoarseFirst(2), 2).ids.tolist() == [[0, 1, gone, gone], [gone, gone, 2, 3]]
    assert _steps(CoarseFirst(2), 2).positions.tolist() == [0, 1, 0, 1]


def test_all_groups_but_the_last_may_be_cut():
    """Cut, a group holds fewer frames than it could; the last one is as long as what is left."""
    sizes = (_steps(Groups(3), 40, cut=1.0).ids != ABSENT).sum(0)
    assert sizes.sum() == 40
    assert set(sizes.tolist()) == {1, 2}


def test_a_cut_group_still_predicts_what_it_could_hold():
    torch.manual_seed(0)
    steps = _steps(Groups(3), 40, cut=0.7)
    held = steps.ids != ABSENT
    assert held.sum() == 40  # each frame once
    assert (held.sum(0) < 3).sum() > 5
    predicted = steps.targets[:, :-1]
    full = steps.positions < 38
    expected = steps.positions[full] + torch.arange(3)[:, None]
    assert predicted[:, full].equal(expected)


@pytest.fixture
def config(registry):
    return evolve(tiny_config(registry).model, capabilities=("ar",))


def test_the_name_of_a_pattern_says_how_far_levels_lie_apart(config):
    """In steps from a frame's level 0 to its level 2, of which there are four."""
    apart = {}
    for name in ("parallel", "delay", "flattened", "interleaved", "coarse-first"):
        pattern = pattern_of(evolve(config, pattern=name), 3)
        cells = pattern.cells(places_of(pattern, 4), 4)
        (first, third) = (int((cells[level] == 1).nonzero()) for level in (0, 2))
        apart[name] = third - first
    assert apart == {
        "parallel": 0, "delay": 2, "flattened": 2, "interleaved": 2, "coarse-first": 4,
    }  # fmt: skip
    assert pattern_of(evolve(config, group_size=2), 3) == Groups(2)


def test_a_pattern_needs_levels(config):
    with pytest.raises(ConfigError, match="orders several levels"):
        pattern_of(evolve(config, pattern="delay"), 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capabilities": ("ar", "nar"), "pattern": "delay"}, r"unless model.capabilities is \[ar"),
        ({"pattern": "delay", "heads": "single"}, "if model.heads is single"),
        ({"pattern": "delay", "group_size": 2}, "if model.pattern is delay"),
        ({"capabilities": ("nar",), "group_size": 2}, "unless model.capabilities has ar"),
        ({"partial_groups": 0.1}, "if model.group_size is 1"),
    ],
)
def test_what_makes_no_sense_is_refused(config, options, message):
    with pytest.raises(ValueError, match=message):
        evolve(config, **options)
