"""What decoding does to save time changes nothing of what is written."""

import gc

import pytest
import torch
from attrs import evolve

from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.ar.stopping import HoldStop
from vall_e.decoding.sampler_chain import Chain
from vall_e.memory import peak_bytes
from vall_e.model.sequence import Example
from vall_e.synthesis.request import Request
from vall_e_samplers.categorical import Categorical
from vall_e_samplers.greedy import Greedy
from vall_e_samplers.options import CategoricalConfig, GreedyConfig

FRAMES = 8


@pytest.fixture(scope="module")
def samples(tiny):
    lines = [tiny._planner(Request(text), None).job(0).sample for text in TEXTS]
    return [evolve(sample, response=torch.zeros(1, 0, dtype=torch.long)) for sample in lines]


TEXTS = ["a", "a longer one", "and one more that is longer still"]


def _written(tiny, samples, draw):
    return decode_ar(
        tiny.model,
        tiny.task,
        samples,
        draw=Chain([HoldStop(tiny.model.stop), draw]),
        generators=[torch.Generator().manual_seed(len(s.text)) for s in samples],
        max_frames=[FRAMES - i for i in range(len(samples))],
    )


@pytest.mark.parametrize("draw", [Greedy(GreedyConfig()), Categorical(CategoricalConfig())])
def test_rows_of_a_batch_are_written_as_alone(tiny, samples, draw):
    together = _written(tiny, samples, draw)
    for i, sample in enumerate(samples):
        [alone] = decode_ar(
            tiny.model,
            tiny.task,
            [sample],
            draw=Chain([HoldStop(tiny.model.stop), draw]),
            generators=[torch.Generator().manual_seed(len(sample.text))],
            max_frames=[FRAMES - i],
        )
        assert alone.level_0.tolist() == together[i].level_0.tolist()
        assert alone.ended == together[i].ended


def test_with_a_cache_the_same_is_written_as_by_running_everything_again(tiny, samples):
    written = _written(tiny, samples, Greedy(GreedyConfig()))
    for sample, found in zip(samples, written, strict=True):
        codes = []
        while len(codes) < len(found.level_0) + found.ended:
            response = torch.tensor([codes], dtype=torch.long)
            grown = evolve(sample, response=response)
            with torch.inference_mode():
                example = Example(tuple(tiny.task.segments(grown, level=0)), 0)
                states, _, _ = tiny.model.hidden([example])
                logits = tiny.model.logits(states[0, -1], 0)
            logits = logits.clone()
            if not codes:
                logits[tiny.model.stop] = float("-inf")
            codes.append(int(logits.argmax()))
        assert codes[: len(found.level_0)] == found.level_0.tolist()
        assert codes[len(found.level_0) :] == [tiny.model.stop] * found.ended


@pytest.mark.slow
def test_fifty_utterances_leave_nothing_behind(tiny):
    def speak(count):
        for seed in range(count):
            tiny.synthesize(Request("oh", seed=seed, max_seconds=0.1))

    def held():
        gc.collect()
        return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects()), peak_bytes()

    speak(5)
    tensors, peak = held()
    speak(50)
    later, highest = held()
    assert later == tensors
    assert highest - peak < 20e6
