import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vall_e.decoding.job import Job
from vall_e.decoding.nar.block_window import WHOLE, BlockWindow
from vall_e.synthesis.request import Request

TEXT = "a sentence that lasts a while. another one."
WINDOW = {"window_seconds": 0.06, "ahead_seconds": 0.02}
SAMPLING = {"nar": ["categorical"]}


@pytest.fixture
def longer(speaker):
    """Speaks in sentences of up to a second."""

    def make(**options):
        return speaker(sampling=SAMPLING, **{"max_seconds": 1.0, "chunk_seconds": 0.1, **options})

    return make


@given(frames=st.integers(1, 40), ahead=st.integers(0, 20), total=st.integers(1, 200))
def test_blocks_cover_a_sentence_and_come_alike_when_its_end_is_not_known_yet(frames, ahead, total):
    window = BlockWindow(frames, ahead)
    start, written, ends = 0, 0, []
    while start < total:
        written = min(written + 1, total)
        block = window.block(start, written, ended=written == total)
        if block:
            assert block == window.block(start, total, ended=True)
            end, seen = block
            assert start < end <= seen <= written
            assert written in (seen, total)  # as soon as can be
            ends.append(end)
            start = end
    assert ends[-1] == total
    assert all(end % frames == 0 for end in ends[:-1])


def test_without_a_window_a_sentence_is_one_block():
    assert WHOLE.block(0, 70, ended=False) is None
    assert WHOLE.block(0, 70, ended=True) == (70, 70)
    assert WHOLE.block(70, 70, ended=True) is None
    assert BlockWindow.of(0.0, 0.2, 50.0).frames == 0
    assert BlockWindow.of(0.001, 0.2, 50.0) == BlockWindow(1, 10)


@pytest.fixture
def seed(longer):
    """One with which the untrained model does not stop soon."""
    tiny = longer()
    return next(
        s for s in range(1000) if tiny.synthesize(TEXT, seed=s).sentences[0].codes.seconds > 0.18
    )


def test_a_windowed_stream_is_the_offline_audio_in_pieces(longer, seed):
    tiny = longer(**WINDOW)
    stream = tiny.stream(TEXT, seed=seed)
    chunks = list(stream)
    offline = tiny.synthesize(TEXT, seed=seed)
    assert np.array_equal(np.concatenate([c.audio for c in chunks]), offline.audio)
    [batched] = tiny.synthesize_batch([Request(TEXT, seed=seed)])
    assert np.array_equal(batched.codes.values, offline.codes.values)
    assert np.array_equal(batched.audio, offline.audio)
    assert np.array_equal(stream.result().codes.values, offline.codes.values)
    assert stream.result().timings.ar_seconds > 0
    assert stream.result().timings.nar_seconds > 0


def test_a_windowed_stream_sounds_before_its_sentence_is_written(longer, seed):
    frames = []
    stream = longer(**WINDOW).stream(TEXT, seed=seed, on_progress=lambda p: frames.append(p.frames))
    next(stream)
    assert max(frames) == 4  # a window of 3, and 1 ahead
    for _ in stream:
        pass
    assert max(frames) > 9


def test_level_0_is_the_same_with_a_window_and_the_others_differ(longer, seed):
    windowed = longer(**WINDOW).synthesize(TEXT, seed=seed).codes.values
    whole = longer().synthesize(TEXT, seed=seed).codes.values
    assert np.array_equal(windowed[0], whole[0])
    assert not np.array_equal(windowed[1:], whole[1:])


def test_a_window_over_the_whole_sentence_changes_nothing(longer, seed):
    windowed = longer(window_seconds=5.0).synthesize(TEXT, seed=seed).codes.values
    assert np.array_equal(windowed, longer().synthesize(TEXT, seed=seed).codes.values)


def test_a_window_serves_a_model_of_level_0_alone(longer, seed):
    tiny = longer(model={"capabilities": ["ar"]}, **WINDOW)
    chunks = list(tiny.stream(TEXT, seed=seed))
    assert np.array_equal(
        np.concatenate([c.audio for c in chunks]), tiny.synthesize(TEXT, seed=seed).audio
    )


def test_with_further_attempts_nothing_sounds_before_a_sentence_is_accepted(longer, seed):
    """Else a failed attempt would have to be taken back."""
    frames = []
    tiny = longer(attempts=2, **WINDOW)
    stream = tiny.stream(TEXT, seed=seed, on_progress=lambda p: frames.append(p.frames))
    next(stream)
    first_sentence = stream.result().sentences[:1] or tiny.synthesize(TEXT, seed=seed).sentences[:1]
    assert max(frames) >= len(first_sentence[0].codes.values[0])


def test_the_stages_draw_from_chances_of_their_own():
    """Taking turns or one after the other, each draws the same."""
    job = Job(sample=None, seed=1, place=0, bounds=None)
    ar, nar, again = (torch.rand(4, generator=job.generator(0, s)) for s in ("ar", "nar", "ar"))
    assert torch.equal(ar, again)
    assert not torch.equal(ar, nar)
