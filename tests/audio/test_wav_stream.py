import os
import struct
from io import BytesIO

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.wav_stream import UNKNOWN_SIZE, WavStream
from vall_e.errors import AudioError

WAVE = np.sin(np.arange(1000) / 10).astype("f4")


class Pipe(BytesIO):
    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError("a pipe cannot seek")


def test_chunks_joined_up_equal_a_written_clip():
    streamed, written = BytesIO(), BytesIO()
    with WavStream(streamed, 16_000) as stream:
        for start in range(0, 1000, 300):
            stream.write(WAVE[start : start + 300])
    Clip(WAVE, 16_000).write(written)
    assert streamed.getvalue() == written.getvalue()


def test_a_pipe_gets_unknown_sizes_and_is_readable():
    pipe = Pipe()
    with WavStream(pipe, 16_000) as stream:
        stream.write(WAVE)
    data = pipe.getvalue()
    assert (
        struct.unpack_from("<I", data, 4) == struct.unpack_from("<I", data, 40) == (UNKNOWN_SIZE,)
    )
    clip = Clip.read(BytesIO(data))
    np.testing.assert_allclose(clip.samples, WAVE, atol=2 / 32_768)


def test_the_header_and_each_chunk_go_out_at_once():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb") as writer:
        stream = WavStream(writer, 16_000)
        assert os.read(reader.fileno(), 1000).startswith(b"RIFF")
        stream.write(WAVE[:10])
        assert len(os.read(reader.fileno(), 1000)) == 20


def test_the_file_stays_open_and_closing_twice_is_fine():
    file = BytesIO()
    stream = WavStream(file, 16_000)
    stream.close()
    stream.close()
    assert not file.closed
    with pytest.raises(ValueError, match="closed"):
        stream.write(WAVE)


def test_only_mono_is_taken_and_loud_samples_are_clipped():
    file = BytesIO()
    with WavStream(file, 16_000) as stream:
        stream.write(np.array([2.0, -2.0]))
        with pytest.raises(ValueError, match=r"not \(2, 3\)"):
            stream.write(np.zeros((2, 3)))
    np.testing.assert_allclose(Clip.read(BytesIO(file.getvalue())).samples, [1, -1], atol=1e-4)


def test_samples_that_are_not_numbers_are_refused():
    with (
        WavStream(BytesIO(), 16_000) as stream,
        pytest.raises(AudioError, match="not finite cannot be written"),
    ):
        stream.write(np.array([0.0, np.nan]))
