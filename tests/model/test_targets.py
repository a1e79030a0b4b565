"""What each position of a batch is to predict."""

import torch
from attrs import evolve

from vall_e.interfaces.task import Segment
from vall_e.model.sequence import Example
from vall_e.model.targets import Targets, heads_of

TARGETS = Targets(stop=8, length_classes=11, ahead=1, predicts_prompt=True)
AR, NAR = ("ar", 0), ("nar", 1)


def example(*, level=0, frames=3, prompt=2):
    codes = torch.arange(2 * frames).reshape(2, frames)
    return Example(
        (
            Segment("text", torch.tensor([1, 2])),
            Segment("prompt", torch.full((2, prompt), 5)),
            Segment("response", codes),
        ),
        level=level,
    )


def test_the_last_target_of_a_causal_response_is_the_stop_token():
    found = TARGETS.of_head([example()], AR, ignore_inputs=True)
    assert found.ids.tolist() == [0, 1, 2, 8]
    assert found.places.tolist() == [5, 6, 7, 8]  # each stands before what it predicts


def test_a_later_level_predicts_each_frame_where_it_stands():
    found = TARGETS.of_head([example(level=1)], NAR, ignore_inputs=True)
    assert found.ids.tolist() == [3, 4, 5]
    assert found.places.tolist() == [6, 7, 8]


def test_the_places_of_a_later_row_are_counted_through_the_padded_batch():
    rows = [example(frames=1), example(frames=3)]
    found = TARGETS.of_head(rows, AR, ignore_inputs=True)
    assert found.places.tolist()[2:] == [9 + 5, 9 + 6, 9 + 7, 9 + 8]


def test_inputs_are_predicted_on_request_and_a_summed_prompt_never():
    with_prompt = TARGETS.of_head([example()], AR, ignore_inputs=False, kinds=True)
    without = evolve(TARGETS, predicts_prompt=False).of_head(
        [example()], AR, ignore_inputs=False, kinds=True
    )
    assert with_prompt.kinds.count("prompt") == 2
    assert without.kinds.count("prompt") == 0


def test_a_batch_is_predicted_by_the_heads_of_its_examples():
    assert heads_of([example(level=1), example(), example(level=1)]) == [AR, NAR]
    assert TARGETS.count(example()) == 4
