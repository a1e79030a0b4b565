"""Voice memos: read through ffmpeg or PyAV, or refused with what to install."""

import os
import shutil
import stat
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vall_e.audio.audio_file import open_audio
from vall_e.audio.clip import Clip
from vall_e.audio.media import (
    NEEDED,
    as_wav,
    decode_with_ffmpeg,
    decode_with_pyav,
    find_decoder,
    media_kind,
)
from vall_e.cli.app import App, cli
from vall_e.codec.long_audio import encode_file
from vall_e.data.ingest.recordings import find_recordings
from vall_e.data.ingest.segments import read_part
from vall_e.errors import AudioError
from vall_e.testing import StaircaseCodec

RATE = 48_000
FILES = {
    "memo.m4a": ("ipod", "aac", "MP4"),
    "film.mp4": ("mp4", "aac", "MP4"),
    "memo.aac": ("adts", "aac", "AAC"),
    "memo.webm": ("webm", "libopus", "WebM"),
}
"""The names in ffmpeg of container and encoder, and ours of the kind."""
MEMO = b"\0\0\0\x20ftypM4A \0\0\0\0"
"""What any m4a file begins with."""


@pytest.fixture
def wave():
    t = np.arange(RATE) / RATE
    return (0.3 * np.sin(2 * np.pi * 220 * t) * (1 + np.sin(2 * np.pi * 3 * t)) / 2).astype("f4")


@pytest.fixture
def write(tmp_path, wave):
    """Encode a second of a tone, as a telephone would."""
    av = pytest.importorskip("av")

    def write(name):
        container, encoder, _ = FILES[name]
        with av.open(str(tmp_path / name), "w", format=container) as file:
            stream = file.add_stream(encoder, rate=RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            frame.rate = RATE
            for packet in (*stream.encode(frame), *stream.encode(None)):
                file.mux(packet)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", FILES)
def test_a_memo_sounds_like_what_was_recorded(write, wave, name):
    path = write(name)
    assert media_kind(path.read_bytes()[:64]) == FILES[name][2]
    clip = Clip.read(path).mono().resample(RATE)
    assert clip.seconds == pytest.approx(1.0, abs=0.1)
    spectra = [np.abs(np.fft.rfft(samples, 2 * RATE)) for samples in (clip.samples, wave)]
    assert np.corrcoef(*spectra)[0, 1] > 0.99


def test_a_memo_can_be_read_in_parts_in_blocks_and_from_a_pipe(write):
    path = write("memo.m4a")
    assert read_part(path, 0.25, 0.5).seconds == 0.25
    assert encode_file(path, StaircaseCodec()).codes.seconds == pytest.approx(1.0, abs=0.1)
    with open_audio(path) as file, path.open("rb") as pipe:
        assert file.seconds == Clip.read(pipe).seconds


def test_a_damaged_memo_is_named(write, tmp_path):
    path = write("memo.m4a")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(AudioError, match=r"memo\.m4a is not readable MP4 audio"):
        Clip.read(path)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_of_memos_is_a_folder_of_recordings(tmp_path, name):
    (tmp_path / name).write_bytes(MEMO)
    (tmp_path / name).with_suffix(".txt").write_text("Hello.")
    assert [recording.path.name for recording in find_recordings(tmp_path)] == [name]


@pytest.fixture
def ffmpeg(tmp_path, wave):
    """A program that notes its arguments, and copies a recording to its last one."""
    Clip(wave, RATE).write(tmp_path / "decoded.wav")
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport shutil, sys\n"
        f"open({str(tmp_path / 'words')!r}, 'w').write('\\n'.join(sys.argv[1:]))\n"
        f"shutil.copy({str(tmp_path / 'decoded.wav')!r}, sys.argv[-1].removeprefix('file:'))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_ffmpeg_is_asked_before_pyav_and_may_read_files_only(ffmpeg, tmp_path, wave):
    memo = tmp_path / "me:mo.m4a"
    memo.write_bytes(MEMO)
    decoder = find_decoder(str(ffmpeg.parent))
    with as_wav(memo, "MP4", "memo", find=lambda: decoder) as path:
        assert Clip.read(path).samples == pytest.approx(wave, abs=1e-4)
    words = (tmp_path / "words").read_text().splitlines()
    assert words[words.index("-i") + 1] == f"file:{memo}"
    assert words[words.index("-protocol_whitelist") + 1] == "file"


def test_what_ffmpeg_says_is_passed_on(ffmpeg, tmp_path):
    ffmpeg.write_text("#!/bin/sh\necho 'moov atom not found' >&2\nexit 1\n")
    decoder = partial(decode_with_ffmpeg, program=str(ffmpeg))
    message = "memo is not readable MP4 audio: moov atom not found"
    with (
        pytest.raises(AudioError, match=message),
        as_wav(MEMO, "MP4", "memo", find=lambda: decoder),
    ):
        pass


def test_the_real_ffmpeg_gives_what_pyav_gives(write, tmp_path):
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not on PATH")
    path = write("memo.m4a")
    decode_with_pyav(path, tmp_path / "a.w64")
    decode_with_ffmpeg(path, tmp_path / "b.w64", program)
    a, b = Clip.read(tmp_path / "a.w64"), Clip.read(tmp_path / "b.w64")
    assert a.samples == pytest.approx(b.samples, abs=1e-3)


@pytest.fixture
def run(registry, tmp_path, monkeypatch):
    """`vall-e` in a folder with a memo, where neither ffmpeg nor PyAV is installed."""
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/memo.m4a").write_bytes(MEMO)
    Path("in/memo.txt").write_text("Hello.")
    Path("list.tsv").write_text("path\ttext\nin/memo.m4a\tHello.\n")

    def run(line):
        app = App(environ={**os.environ, "VALL_E_HOME": "home"}, registry=registry)
        return CliRunner().invoke(cli, line.split(), obj=app)

    return run


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("synth Hello. --voice in/memo.m4a -o out.wav", 5),
        ("voices add me in/memo.m4a", 5),
        ("data process in -o out --language en-us", 8),
        ("data validate in", 8),
        ("data stats in", 0),
        ("data transcribe in", 8),
        ("codec encode in/memo.m4a -o a.codes.safetensors", 5),
        ("eval list.tsv --judge signal", 5),
    ],
)
def test_every_command_says_what_to_install_in_one_line(run, line, code):
    result = run(line)
    assert NEEDED in result.output, result.output
    assert result.exit_code == code
