import logging
import sys
from io import BytesIO

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.audio.clip import Clip
from vall_e.errors import AudioError


def tone(seconds=0.5, rate=24_000, hertz=220.0, level=0.5, channels=1):
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    samples = wave if channels == 1 else np.stack([wave] * channels)
    return Clip(samples.astype(np.float32), rate)


def peak_hertz(clip):
    spectrum = np.abs(np.fft.rfft(clip.mono().samples))
    return spectrum.argmax() / clip.seconds


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@given(
    values=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=50),
    channels=st.integers(1, 3),
    rate=st.sampled_from([8000, 22_050, 48_000, 96_000]),
)
@settings(max_examples=30)
def test_lossless_formats_give_back_what_was_written(suffix, values, channels, rate):
    written = np.tile(np.array(values, np.float32) / 32_768, (channels, 1))
    file = BytesIO()
    Clip(written, rate).write(file, format=suffix)
    file.seek(0)
    read = Clip.read(file)
    assert (read.sample_rate, read.channels) == (rate, channels)
    np.testing.assert_allclose(read.samples.reshape(channels, -1), written, atol=0)


@pytest.mark.parametrize("suffix", ["ogg", "opus", "mp3"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_lossy_formats_sound_alike(tmp_path, suffix, channels, rate):
    clip = tone(channels=channels, rate=rate)
    clip.write(tmp_path / f"tone.{suffix}")
    read = Clip.read(tmp_path / f"tone.{suffix}")
    assert read.channels == channels
    assert read.sample_rate == (24_000 if (suffix, rate) == ("opus", 22_050) else rate)
    assert read.seconds == pytest.approx(clip.seconds, abs=0.1)
    assert peak_hertz(read) == pytest.approx(220, abs=3)


def test_a_long_file_can_be_written_as_ogg(tmp_path):
    clip = Clip(np.random.default_rng(0).uniform(-0.1, 0.1, 60 * 16_000).astype("f4"), 16_000)
    clip.write(tmp_path / "long.ogg")
    assert Clip.read(tmp_path / "long.ogg").seconds == pytest.approx(60, abs=0.01)


def test_the_content_decides_not_the_suffix(tmp_path):
    tone().write(tmp_path / "a.flac")
    (tmp_path / "a.flac").rename(tmp_path / "a.txt")
    assert Clip.read(str(tmp_path / "a.txt")).sample_rate == 24_000


def test_mono_is_the_mean_of_the_channels():
    clip = Clip(np.array([[1.0, 0.5], [0.0, 0.5]]), 8000)
    np.testing.assert_array_equal(clip.mono().samples, [0.5, 0.5])
    mono = clip.mono()
    assert mono.mono() is mono
    assert clip.mono().samples.shape == (2,)


@pytest.mark.parametrize("other", [-0.99, -0.9])
def test_channels_that_cancel_each_other_leave_the_loudest(other):
    side = np.sin(np.arange(100, dtype=np.float32))
    both = Clip(np.stack([np.float32(other) * side, side]), 8000)
    np.testing.assert_array_equal(both.mono().samples, side)


def test_a_silent_channel_does_not_cancel():
    side = np.sin(np.arange(100, dtype=np.float32))
    clip = Clip(np.stack([side, *np.zeros((7, 100), np.float32)]), 8000)
    np.testing.assert_allclose(clip.mono().samples, side / 8)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 44_100])
def test_resampling_keeps_pitch_level_and_length(channels, rate):
    clip = tone(channels=channels)
    resampled = clip.resample(rate)
    assert resampled.sample_rate == rate
    assert resampled.seconds == pytest.approx(clip.seconds, abs=1e-3)
    assert peak_hertz(resampled) == pytest.approx(220, abs=3)
    assert np.abs(resampled.samples).max() == pytest.approx(0.5, abs=0.02)


def test_resampling_to_the_same_rate_changes_nothing():
    clip = tone()
    assert clip.resample(24_000) == clip


def test_a_cut_is_in_seconds():
    clip = tone(seconds=1.0)
    assert clip.cut(0.25, 0.75).seconds == 0.5
    assert clip.cut(0.75).seconds == 0.25
    assert clip.cut(0.5, 9.0).seconds == 0.5
    with pytest.raises(ValueError, match=r"not 0\.5 to 0\.2"):
        clip.cut(0.5, 0.2)


def test_reading_keeps_the_name_for_messages(tmp_path):
    path = tmp_path / "silence.wav"
    Clip(np.zeros(8000, "f4"), 8000).write(path)
    with pytest.raises(AudioError, match=r"silence\.wav is silent"):
        Clip.read(path).mono().resample(16_000).cut(0, 0.5).check()


def test_a_sound_clip_passes():
    clip = tone()
    assert clip.check(min_seconds=0.1, max_seconds=1) is clip


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        ([], "x.wav has no samples"),
        ([0.5, np.nan, np.inf] * 100, "x.wav has 200 samples that are not finite numbers"),
        ([0.0] * 1000, "x.wav is silent: all its samples are 0"),
        ([1e-4, -1e-4] * 500, "x.wav is silent: nowhere louder than -80 dB"),
        ([0.5] * 50, "x.wav is too short: 0.05 s, at least 0.1 s are needed"),
        ([0.5] * 2500, "x.wav is too long: 2.50 s, at most 2 s are allowed"),
    ],
)
def test_an_unsound_clip_is_reported(samples, says):
    clip = Clip(np.array(samples, "f4"), 1000, name="x.wav")
    with pytest.raises(AudioError) as caught:
        clip.check(min_seconds=0.1, max_seconds=2)
    assert says in caught.value.message
    assert caught.value.hint


def test_the_caller_can_name_the_clip():
    with pytest.raises(AudioError, match="the prompt has no samples"):
        Clip(np.zeros(0, "f4"), 8000).check(what="the prompt")


def test_clipping_is_a_warning(caplog):
    tone(level=1.0).check()
    assert not caplog.records  # full, but round
    clipped = Clip(np.clip(tone(level=1.5).samples, -1, 1), 24_000, name="x.wav")
    clipped.check()
    assert "x.wav is clipped at" in caplog.text


def test_files_that_cannot_be_read_are_reported(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("not audio at all" * 10)
    for path, says in [
        (tmp_path / "no.wav", "there is no file"),
        (tmp_path, "is a folder, not a recording"),
        (tmp_path / "empty.wav", "empty.wav is empty"),
        (tmp_path / "text.wav", "text.wav is not readable audio"),
    ]:
        with pytest.raises(AudioError, match=says) as caught:
            Clip.read(path)
        assert caught.value.hint


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus"])
def test_a_truncated_file_is_reported(tmp_path, suffix):
    whole = tmp_path / f"whole.{suffix}"
    tone(seconds=2).write(whole)
    assert Clip.read(whole).seconds == pytest.approx(2, abs=0.1)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"cut\..* (is cut off|is not readable audio)") as caught:
        Clip.read(cut)
    assert caught.value.hint


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])  # the last is AIFC
def test_a_truncated_aiff_file_is_reported(subtype):
    out = BytesIO()
    soundfile.write(out, tone(seconds=2).samples, 24_000, subtype, format="AIFF")
    whole = out.getvalue()
    assert Clip.read(BytesIO(whole)).seconds == 2
    with pytest.raises(AudioError, match=r"is cut off: 1\.\d+ s of 2\.00 s are missing"):
        Clip.read(BytesIO(whole[: len(whole) // 2]))


@pytest.mark.parametrize("data", [b"junk" * 50, b"fLaC" + b"junk" * 50])
def test_a_message_has_no_address(data):
    with pytest.raises(AudioError) as caught:
        Clip.read(BytesIO(data))
    assert "0x" not in caught.value.message
    with pytest.raises(AudioError) as caught:
        Clip(np.zeros((2000, 10), "f4"), 24_000).write(BytesIO())
    assert "0x" not in caught.value.message


def test_samples_in_another_scale_are_reported(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone().samples * 300, 24_000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a\.wav has samples up to 150, not in \[-1, 1\]"):
        Clip.read(tmp_path / "a.wav").check()


def test_a_rate_too_high_for_ogg_is_lowered(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        tone(rate=655_350, seconds=0.1).write(tmp_path / "a.ogg")
    assert Clip.read(tmp_path / "a.ogg").sample_rate == 192_000
    assert "ogg does not support 655350 Hz: written at 192000 Hz" in caplog.text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.xyz", "a.xyz ends in .xyz"),
        ("a", "a has no suffix"),
        ("no/folder/a.wav", "cannot be written"),
    ],
)
def test_a_target_that_cannot_be_written_is_reported(tmp_path, name, says):
    with pytest.raises(AudioError, match=says) as caught:
        tone().write(tmp_path / name)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    tone().write(tmp_path / "a.wav")
    before = (tmp_path / "a.wav").read_bytes()
    for samples, says in [
        (np.array([np.nan], "f4"), "not finite"),
        (np.zeros(0, "f4"), "no samples to write"),
        (np.zeros((2000, 10), "f4"), "2000 channels"),
    ]:
        with pytest.raises(AudioError, match=says):
            Clip(samples, 24_000).write(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_over_full_scale_is_clipped_with_a_warning(caplog):
    file = BytesIO()
    Clip(np.array([0.0, 2.0, -2.0], "f4"), 8000).write(file)
    file.seek(0)
    np.testing.assert_allclose(Clip.read(file).samples, [0, 1, -1], atol=1e-4)
    assert "2 samples over full scale are clipped" in caplog.text


def test_a_rate_that_the_format_lacks_is_reported(caplog):
    with caplog.at_level(logging.INFO):
        tone(rate=22_050).write(BytesIO(), format="opus")
    assert "opus does not support 22050 Hz: written at 24000 Hz" in caplog.text


def test_a_pipe_can_be_read_and_written():
    import subprocess

    program = (
        "import sys; from vall_e.audio.clip import Clip;"
        "Clip.read(sys.stdin.buffer).write(sys.stdout.buffer, format='flac');"
        "assert 'torch' not in sys.modules"
    )
    file = BytesIO()
    tone().write(file)
    done = subprocess.run(
        [sys.executable, "-c", program], input=file.getvalue(), capture_output=True, check=True
    )
    assert soundfile.info(BytesIO(done.stdout)).format == "FLAC"
    np.testing.assert_allclose(
        Clip.read(BytesIO(done.stdout)).samples, tone().samples, atol=1 / 32_768
    )


def test_samples_are_floats_in_one_or_two_axes():
    with pytest.raises(TypeError, match="not int16"):
        Clip(np.zeros(3, np.int16), 8000)
    with pytest.raises(ValueError, match=r"not \(1, 1, 3\)"):
        Clip(np.zeros((1, 1, 3)), 8000)
