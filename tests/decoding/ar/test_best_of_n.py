import numpy as np
import pytest
import torch
from attrs import evolve

from vall_e.decoding.ar.best_of_n import best, scores
from vall_e.decoding.ar.loop import Writing
from vall_e.decoding.ar.stopping import Bounds, HoldStop
from vall_e.decoding.decoder import Decoder
from vall_e.decoding.guidance import Guidance
from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.sampler_chain import Chain
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.sequence import Example, wordless
from vall_e.model.valle import build_valle
from vall_e.synthesis.request import Request
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=4, codebook_size=16, vocabulary=12, languages=1)
TASK = Tts(TtsConfig())
NO_CODES = torch.empty(1, 0, dtype=torch.long)
PLAIN = ["categorical"]


@pytest.fixture(scope="module")
def model(registry):
    torch.manual_seed(0)
    return build_valle(tiny_config(registry).model, SIZES).eval()


@pytest.fixture
def decoder(registry, model):
    def make(**sampling):
        config = tiny_config(registry, sampling={"ar": PLAIN, **sampling})
        return Decoder(model, TASK, config.sampling, 1, 10.0, 4)

    return make


def _sample(seed=0, *, response=NO_CODES):
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(4, 12, (5 + seed,), generator=generator)
    return Sample(text, 0, torch.randint(0, 16, (4, 5), generator=generator), response)


def _job(seed=0, *, bounds=None):
    return Job(_sample(seed), seed, 0, bounds or Bounds(0, 8))


@torch.no_grad()
def _by_hand(model, sample, tokens):
    """The mean log-probability of the tokens, by a full pass for each."""
    total, response = 0.0, sample.response
    for token in tokens:
        grown = evolve(sample, response=response)
        states, _, _ = model.hidden([Example(tuple(TASK.segments(grown, level=0)), 0)])
        total += float(model.logits(states[0, -1], 0).log_softmax(-1)[token])
        response = torch.cat([response, torch.tensor([[token]])], dim=1)
    return total / len(tokens)


@pytest.mark.parametrize("by", ["likelihood", "text"])
def test_a_score_is_the_mean_log_probability_of_the_tokens_and_of_a_stop_that_was_drawn(model, by):
    samples = [_sample(0), _sample(1), _sample(2, response=torch.tensor([[7, 7]]))]
    drafts = [
        Decoded(torch.tensor([[1, 2, 3]]), ended=True),
        Decoded(torch.tensor([[4, 5, 6, 7, 8]]), ended=False),
        Decoded(torch.tensor([[9]]), ended=True),
    ]
    tokens = [[1, 2, 3, model.stop], [4, 5, 6, 7, 8], [9, model.stop]]
    for sample, said, mark in zip(
        samples, tokens, scores(model, TASK, samples, drafts, by), strict=True
    ):
        expected = _by_hand(model, sample, said)
        if by == "text":
            expected -= _by_hand(model, wordless(sample), said)
        assert mark == pytest.approx(expected, abs=1e-5)


def test_the_best_draft_is_the_one_with_the_highest_score_of_those_that_look_right():
    assert best([0.1, 0.9, 0.5], [False] * 3) == 1
    assert best([0.1, 0.9, 0.5], [False, True, False]) == 2
    assert best([0.1, 0.9, 0.5], [True] * 3) == 1


def test_the_draft_with_the_highest_score_is_spoken(model, decoder):
    job = _job(bounds=Bounds(0, 5))
    [spoken] = decoder(candidates=6)([job])
    drafts = []
    for candidate in range(6):  # one at a time
        writing = Writing(model, TASK, [job.sample], [job.generator(0, "ar", candidate)], [5])
        draw = Chain([HoldStop(model.stop)])
        while writing.unfinished:
            writing.step(draw)
        drafts += writing.utterances()
    marks = scores(model, TASK, [job.sample] * 6, drafts, "likelihood")
    ended = [draft.ended for draft in drafts]
    expected = drafts[best(marks, [not e for e in ended])]
    assert spoken.codes[0].tolist() == expected.level_0.tolist()
    assert len({tuple(d.level_0.tolist()) for d in drafts}) == 6  # so there was a choice


def test_a_job_takes_the_same_candidate_alone_as_beside_others(decoder):
    jobs = [_job(seed) for seed in range(3)]
    together = decoder(candidates=3, score="text")(jobs)
    for job, spoken in zip(jobs, together, strict=True):
        [alone] = decoder(candidates=3, score="text")([job])
        assert alone.codes.tolist() == spoken.codes.tolist()


def test_the_two_scores_can_choose_differently(decoder):
    chosen = [
        [s.codes.tolist() for s in decoder(candidates=4, score=by)([_job(i) for i in range(4)])]
        for by in ("likelihood", "text")
    ]
    assert chosen[0] != chosen[1]


def test_one_candidate_is_what_was_always_drawn(decoder):
    job = _job()
    key = job.generator(0, "ar", 0).initial_seed()
    assert key == job.generator(0, "ar").initial_seed() != job.generator(0, "ar", 1).initial_seed()


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_drafts_of_one_reading_are_those_of_as_many(model, scale):
    """The samples are read once and their rows copied, the sides of guidance too."""
    samples = [_sample(0), _sample(1)]

    def written(rows, *, drafts):
        generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
        limits, guidance = [4, 6, 5, 7], Guidance(scale)
        writing = Writing(model, TASK, rows, generators, limits, guidance, drafts=drafts)
        while writing.unfinished:
            writing.step(Chain([HoldStop(model.stop)]))
        return [w.level_0.tolist() for w in writing.utterances()]

    each = [sample for sample in samples for _ in range(2)]
    assert written(samples, drafts=2) == written(each, drafts=1)


def test_a_stream_with_candidates_is_settled_sentence_by_sentence(speaker):
    """Else a draft that another beats would have to be taken back."""
    options = {"max_seconds": 0.4, "window_seconds": 0.06}
    tiny = speaker(sampling={"ar": PLAIN, "candidates": 2}, **options)
    frames = []
    stream = tiny.stream("a sentence.", seed=1, on_progress=lambda p: frames.append(p.frames))
    first = next(stream)
    steps = max(frames)
    rest = [chunk.audio for chunk in stream]
    assert max(frames) == steps
    offline = tiny.synthesize("a sentence.", seed=1)
    assert np.array_equal(np.concatenate([first.audio, *rest]), offline.audio)
    [batched] = tiny.synthesize_batch([Request("a sentence.", seed=1)])
    assert np.array_equal(batched.codes.values, offline.codes.values)
