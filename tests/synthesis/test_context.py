"""What a sentence goes on from."""

import numpy as np
import pytest
import torch
from attrs import evolve

from vall_e.decoding.job import Decoded
from vall_e.errors import ConfigError
from vall_e.synthesis.request import Request

GREEDY = {"ar": ["greedy"], "nar": ["greedy"]}
TWO = "Hello there. Oh no, no."


@pytest.fixture(scope="module")
def greedy(speaker):
    def make(**options):
        synthesizer = speaker(sampling=GREEDY, **options)
        # It never ends a sentence itself, so all are as long as they may be.
        synthesizer.model.heads.layers[0].bias.data[-1] = -1e9
        return synthesizer

    return make


def _codes(result):
    return [sentence.codes.values.tolist() for sentence in result.sentences]


def _taken(blocks):
    """All blocks, and what their generator returns."""
    found = []
    while True:
        try:
            found.append(next(blocks))
        except StopIteration as end:
            return found, end.value


def _job(synthesizer, text="hello"):
    return synthesizer._planner(Request(text, seed=0), None).job(0)


@pytest.mark.parametrize("window", [0.0, 0.05])
def test_a_sentence_continues_from_its_own_beginning_as_it_did(greedy, window):
    decoder = greedy(window_seconds=window, ahead_seconds=0.0)._decoder
    job = _job(greedy())
    [whole] = decoder([job])
    begun = evolve(
        job,
        prefix=whole.codes[:, :2],
        sample=evolve(job.sample, response=whole.codes[:1, :2]),
        bounds=evolve(job.bounds, most=whole.codes.shape[1] - 2),
    )
    [rest] = decoder([begun])
    assert rest.codes[0].equal(whole.codes[0, 2:])
    if not window:
        assert rest.codes.equal(whole.codes[:, 2:])
    blocks, decoded = _taken(decoder.blocks(begun))
    assert torch.cat(blocks, dim=1).equal(decoded.codes)
    assert decoded.codes.shape == rest.codes.shape


@pytest.mark.parametrize("way", ["prompt", "prefix"])
def test_with_a_context_the_first_sentence_is_the_same(greedy, tone, way):
    plain, rolling = greedy(), greedy(context=way)
    voice = plain.voice(tone)
    ours, theirs = (s.synthesize(TWO, voice=voice, seed=1) for s in (rolling, plain))
    assert len(_codes(ours)) == 2
    assert _codes(ours)[0] == _codes(theirs)[0]
    batch = rolling.synthesize_batch([Request(TWO, voice=voice, seed=1), Request("oh", seed=1)])
    assert _codes(batch[0]) == _codes(ours)


def test_the_prompt_grows_by_the_end_of_the_sentence_before(greedy):
    synthesizer = greedy(context="prompt", prompt_seconds=0.1)
    job = _job(synthesizer)
    frames = round(0.1 * synthesizer.codec.frame_rate)
    codes = torch.arange(4 * (frames + 3)).reshape(4, -1)
    past = job, Decoded(codes, ended=True)
    assert synthesizer._context.follow(job, past).sample.prompt.equal(codes[:, 3:])
    told = evolve(job, sample=evolve(job.sample, prompt=codes[:, :3]))
    grown = synthesizer._context.follow(told, past).sample.prompt
    assert grown.equal(torch.cat([codes[:, :3], codes[:, 3:]], 1))
    assert synthesizer._context.follow(job, None) is job
    coarse = synthesizer._context.follow(told, (job, Decoded(codes[:2], ended=True))).sample.prompt
    assert coarse.equal(grown[:2])  # of a voice no more levels than are spoken


def test_a_prefix_has_text_and_codes_of_the_sentence_before(greedy):
    synthesizer = greedy(context="prefix")
    job, codes = _job(synthesizer), torch.ones(4, 5, dtype=torch.long)
    made = synthesizer._context.follow(job, (_job(synthesizer, "oh"), Decoded(codes, ended=True)))
    joined = synthesizer._planner(Request("oh hello", seed=0), None).job(0)
    assert made.sample.text.equal(joined.sample.text)
    assert made.prefix.equal(codes)
    assert made.sample.response.equal(codes[:1])


def test_silence_before_a_sentence_is_left_out(greedy):
    quiet = greedy(silence_seconds=0.1)
    frames = round(0.1 * quiet.codec.frame_rate)
    job = quiet._context.follow(_job(quiet), None)
    assert job.prefix.shape[1] == frames
    result = quiet.synthesize("hello", seed=1)
    plain = greedy().synthesize("hello", seed=1)
    assert result.codes.values.shape == plain.codes.values.shape  # both end at max_seconds


def test_where_level_0_is_filled_in_nothing_stands_before_it(speaker):
    model = {"capabilities": ["len", "nar"]}
    for options in ({"context": "prefix"}, {"silence_seconds": 0.1}):
        with pytest.raises(ConfigError, match="writes level 0 frame by frame"):
            speaker(model=model, **options)


@pytest.mark.parametrize("pattern", ["delay", "coarse-first"])
def test_a_model_of_patterns_continues_from_what_was_before(speaker, pattern):
    model = {"capabilities": ["ar"], "pattern": pattern}
    windowed = {"window_seconds": 0.05, "ahead_seconds": 0.0}
    rolling = speaker(model=model, context="prefix", silence_seconds=0.04, **windowed)
    frames = [s.codes.values.shape for s in rolling.synthesize(TWO, seed=1).sentences]
    assert [levels for levels, _ in frames] == [rolling.model.ar_levels] * 2
    joined = np.concatenate([chunk.audio for chunk in rolling.stream(TWO, seed=1)])
    assert np.array_equal(joined, rolling.synthesize(TWO, seed=1).audio)
    with pytest.raises(ConfigError, match=r"needs \d levels of what was before, and 2 are"):
        speaker(model=model, context="prefix", levels=2)


def test_a_mixture_has_no_prompt_to_add_to(greedy, tone):
    synthesizer = greedy(context="prompt")
    voice = synthesizer.mix_voices([(synthesizer.voice(tone), 1.0), (synthesizer.voice(tone), 1.0)])
    with pytest.raises(ConfigError, match="the voice is a mixture"):
        synthesizer.synthesize(TWO, voice=voice)
