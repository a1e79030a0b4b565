from itertools import product

import numpy as np
import pytest
import torch
from attrs import evolve

from vall_e.decoding.ar.beam_search import Beams, search
from vall_e.decoding.ar.best_of_n import scores
from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.job import Decoded
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

CODES = 3
SIZES = ModelSizes(levels=2, codebook_size=CODES, vocabulary=12, languages=1)
TASK = Tts(TtsConfig())


@pytest.fixture(scope="module")
def model(registry):
    torch.manual_seed(3)
    return build_valle(tiny_config(registry).model, SIZES).eval()


def _sample(seed=0):
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(4, 12, (5 + seed,), generator=generator)
    prompt = torch.randint(0, CODES, (2, 5), generator=generator)
    return Sample(text, 0, prompt, torch.empty(1, 0, dtype=torch.long))


def _search(model, samples, *, width, frames, processors=(), **options):
    chain = Chain(list(processors))
    limits = frames if isinstance(frames, list) else [frames] * len(samples)
    found = search(model, TASK, samples, chain=chain, width=width, max_frames=limits, **options)
    return [(w.level_0.tolist(), w.ended) for w in found]


def _exhaustive(model, sample, frames, power):
    """The best of all that can be said with fewer frames, by their probabilities one by one."""
    said = [list(s) for length in range(frames) for s in product(range(CODES), repeat=length)]
    drafts = [Decoded(torch.tensor([s], dtype=torch.long), ended=True) for s in said]
    means = scores(model, TASK, [sample] * len(said), drafts, "likelihood")
    lengths = [len(s) + 1 for s in said]
    marks = [mean * n / n**power for mean, n in zip(means, lengths, strict=True)]
    return said[marks.index(max(marks))]


@pytest.mark.parametrize("power", [0.0, 0.7, 1.0, 3.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_search_as_wide_as_everything_finds_the_best_of_everything(model, power, seed):
    [(codes, ended)] = _search(model, [_sample(seed)], width=27, frames=4, length_power=power)
    assert ended
    assert codes == _exhaustive(model, _sample(seed), 4, power)


class NoStop:
    def __call__(self, history, logits):
        logits = logits.clone()
        logits[:, CODES] = -torch.inf
        return logits


@pytest.mark.parametrize("frames", [1, 3])
def test_what_the_model_does_not_end_is_cut_off_at_the_best_beam(model, frames):
    [(codes, ended)] = _search(model, [_sample()], width=27, frames=frames, processors=[NoStop()])
    assert not ended
    totals = {}
    for said in product(range(CODES), repeat=frames):
        total, history = 0.0, []
        for code in said:
            logits = _next(model, history)
            total += float(logits[:CODES].log_softmax(-1)[code])
            history.append(code)
        totals[said] = total
    assert tuple(codes) == max(totals, key=totals.get)


@torch.no_grad()
def _next(model, history):
    sample = evolve(_sample(), response=torch.tensor([history], dtype=torch.long))
    states, _, _ = model.hidden([Example(tuple(TASK.segments(sample, level=0)), 0)])
    return model.logits(states[0, -1], 0)


class Greedy:
    def draw(self, history, logits, generators):
        return logits[:, :CODES].argmax(-1)


def test_one_beam_is_greedy(model):
    [greedy] = decode_ar(
        model, TASK, [_sample()], draw=Greedy(), generators=[torch.Generator()], max_frames=[5]
    )
    [(codes, _)] = _search(model, [_sample()], width=1, frames=5, processors=[NoStop()])
    assert codes == greedy.level_0.tolist()


@pytest.mark.parametrize("width", [1, 2])
def test_a_narrow_search_finds_nothing_better_than_a_wide_one(model, width):
    def found(width):
        [(codes, ended)] = _search(model, [_sample()], width=width, frames=5, processors=[NoStop()])
        assert not ended
        return sum(
            float(_next(model, codes[:i])[:CODES].log_softmax(-1)[code])
            for i, code in enumerate(codes)
        )

    assert found(81) >= found(width) - 1e-6


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_a_request_finds_the_same_alone_as_beside_others_that_end_sooner(model, scale):
    samples, frames = [_sample(seed) for seed in range(3)], [2, 6, 4]
    options = {"width": 3, "guidance": Guidance(scale), "processors": [NoStop()]}
    together = _search(model, samples, frames=frames, **options)
    alone = [
        _search(model, [sample], frames=[most], **options)[0]
        for sample, most in zip(samples, frames, strict=True)
    ]
    assert together == alone
    assert [len(codes) for codes, _ in together] == frames


class StopFirst:
    def __call__(self, history, logits):
        return logits + torch.tensor([0.0] * CODES + [9.0])


def test_as_many_beams_continue_where_some_have_ended(model):
    beams = Beams(model, TASK, [_sample()], Chain([StopFirst()]), 2, [5], 1.0, UNGUIDED)
    beams.step()
    assert len(beams.requests[0].endings) == 1
    assert len(beams.history) == beams.rows.count == 2


class Trail:
    """Remembers by itself what each row wrote, and checks that against its history."""

    def __init__(self):
        self.rows = None

    def __call__(self, history, logits):
        if history.shape[1]:
            before, self.rows = self.rows, history
            assert torch.equal(before, history[:, :-1])
        self.rows = history
        return logits

    def select(self, rows):
        self.rows = self.rows[rows]


def test_histories_and_what_samplers_remember_follow_their_beams(model):
    trail = Trail()
    _search(model, [_sample()], width=5, frames=6, processors=[NoStop(), trail])
    assert trail.rows.shape == (5, 5)
    assert len({tuple(row) for row in trail.rows.tolist()}) == 5


def test_beams_are_spoken_the_same_whatever_the_seed(speaker):
    tiny = speaker(sampling={"ar": ["greedy"], "beams": 3}, window_seconds=0.06)
    first, second = (tiny.synthesize("one. two.", seed=seed) for seed in (1, 2))
    assert np.array_equal(first.codes.values, second.codes.values)
    chunks = [chunk.audio for chunk in tiny.stream("one. two.", seed=3)]
    assert np.array_equal(np.concatenate(chunks), first.audio)


@pytest.mark.parametrize(
    ("sampling", "options", "message", "hint"),
    [
        ({"ar": ["repetition-aware"]}, {}, "repetition-aware draws", "end sampling.ar with greedy"),
        (
            {"ar": ["greedy"], "candidates": 2},
            {},
            "sampling.candidates: 2",
            "sampling.candidates: 1",
        ),
        ({"ar": ["greedy"]}, {"attempts": 3}, "synthesis.attempts: 3", "set synthesis.attempts: 1"),
    ],
)
def test_what_a_search_cannot_be_combined_with_is_refused(
    speaker, sampling, options, message, hint
):
    with pytest.raises(ConfigError, match=message) as caught:
        speaker(sampling={"beams": 2, **sampling}, **options)
    assert hint in caught.value.hint
