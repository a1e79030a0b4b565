import json

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.errors import AudioError, CheckpointError
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import Voices, embedded_folder, platform_home

CODES = Codes(np.arange(6, dtype=np.int16).reshape(2, 3), "demo:1", 50.0, 16_000)


@pytest.fixture
def packaged(tmp_path, tone):
    """A package folder with two voices, as `vall_e/embedded` has them."""
    folder = tmp_path / "package"
    folder.mkdir()
    for name in ("anna", "bert"):
        tone.write(folder / f"{name}.flac")
    described = [
        {"name": "bert", "file": "bert.flac", "text": "Hi.", "licence": "CC0-1.0", "source": "us"},
        {"name": "anna", "file": "anna.flac"},
    ]
    (folder / "voices.json").write_text(json.dumps(described))
    return folder


@pytest.fixture
def voices(packaged, tmp_path):
    return Voices(tmp_path / "home", built_in=packaged)


@pytest.fixture
def recording(tone, tmp_path):
    path = tmp_path / "recording.wav"
    tone.write(path)
    return path


def test_built_in_voices_come_in_the_order_of_their_file(voices):
    assert [entry.name for entry in voices.entries()] == ["bert", "anna"]
    assert voices.default == "bert"
    assert voices.get("bert").licence == "CC0-1.0"
    assert voices.get("anna").path.is_file()


def test_a_package_without_voices_has_none(tmp_path):
    empty = Voices(built_in=tmp_path)
    assert empty.entries() == []
    assert empty.default is None


def test_an_added_voice_is_a_copy_of_the_recording(voices, recording):
    added = voices.add("carla", recording, text="Hello.", consent="she said yes")
    recording.unlink()
    entry = voices.get("carla")
    assert entry == added
    assert (entry.origin, entry.text, entry.consent) == ("yours", "Hello.", "she said yes")
    assert Clip.read(entry.path).seconds == pytest.approx(2.0)


def test_a_long_recording_is_kept_in_part(voices, tone, tmp_path):
    long = Clip(np.tile(tone.samples, 20), tone.sample_rate)
    long.write(tmp_path / "long.wav")
    entry = voices.add("carla", tmp_path / "long.wav")
    assert Clip.read(entry.path).seconds == pytest.approx(30.0)


def test_a_voice_file_can_be_added(voices, tmp_path):
    Voice("x", CODES).save(tmp_path / "x.voice.safetensors")
    entry = voices.add("carla", tmp_path / "x.voice.safetensors")
    assert np.array_equal(Voice.load(entry.path).codes.values, CODES.values)


def test_a_voice_is_replaced_only_on_request(voices, recording, tmp_path):
    voices.add("carla", recording)
    with pytest.raises(AudioError, match="there is a voice 'carla' already"):
        voices.add("carla", recording)
    Voice("x", CODES).save(tmp_path / "x.voice.safetensors")
    voices.add("carla", tmp_path / "x.voice.safetensors", replace=True)
    files = sorted(path.name for path in voices.folder.iterdir())
    assert files == ["carla.json", "carla.voice.safetensors"]


def test_a_removed_voice_leaves_nothing(voices, recording):
    voices.add("carla", recording)
    voices.remove("carla")
    assert list(voices.folder.iterdir()) == []
    with pytest.raises(AudioError):
        voices.get("carla")


def test_a_built_in_voice_stays(voices, recording):
    with pytest.raises(AudioError, match="built in, so it cannot be removed"):
        voices.remove("anna")
    with pytest.raises(AudioError, match="voice 'anna' is built in"):
        voices.add("anna", recording, replace=True)


@pytest.mark.parametrize("name", ["", "Anna", "a b", "../up", "none", "-x"])
def test_a_name_that_could_be_something_else_is_refused(voices, recording, name):
    with pytest.raises(AudioError, match="cannot be the name of a voice"):
        voices.add(name, recording)


def test_a_bad_recording_leaves_no_trace(voices, tmp_path):
    Clip(np.zeros(16_000, np.float32), 16_000).write(tmp_path / "silence.wav")
    with pytest.raises(AudioError, match="is silent"):
        voices.add("carla", tmp_path / "silence.wav")
    assert [entry.name for entry in voices.entries()] == ["bert", "anna"]


def test_an_unknown_voice_is_answered_with_the_nearest(voices):
    with pytest.raises(AudioError) as caught:
        voices.get("berd")
    assert caught.value.hint.startswith("did you mean 'bert'?")


def test_without_a_folder_nothing_can_be_added(packaged, recording):
    with pytest.raises(AudioError, match="no folder to keep voices in"):
        Voices(built_in=packaged).add("carla", recording)


@pytest.mark.parametrize("damage", ["{", "null", '{"name": "carla", "path": null}', "[" * 100_000])
def test_a_damaged_description_is_named_and_takes_no_other_voice(voices, recording, caplog, damage):
    voices.add("carla", recording)
    voices.add("doris", recording)
    (voices.folder / "carla.json").write_text(damage)
    assert "doris" in {entry.name for entry in voices.entries()}
    assert "carla.json does not describe a voice" in caplog.text
    with pytest.raises(AudioError, match=r"carla\.json does not describe a voice"):
        voices.get("carla")
    with pytest.raises(AudioError, match="there is a voice 'carla' already"):
        voices.add("carla", recording)


def test_the_platform_has_a_folder_for_us():
    assert platform_home().name == "vall-e"
    assert embedded_folder().is_dir()


def test_a_voice_file_holds_everything(tmp_path):
    path = tmp_path / "x.voice.safetensors"
    Voice("x", CODES, transcript="ü", consent="mine").save(path)
    voice = Voice.load(str(path))
    assert (voice.name, voice.transcript, voice.consent) == ("x", "ü", "mine")
    assert voice.codes == CODES
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_file_that_is_not_a_voice_is_an_error(tmp_path):
    CODES.save(tmp_path / "codes.safetensors")
    with pytest.raises(AudioError, match=r"codes\.safetensors is not a voice file"):
        Voice.load(tmp_path / "codes.safetensors")
    (tmp_path / "junk.safetensors").write_bytes(b"junk" * 10)
    with pytest.raises(AudioError, match=r"junk\.safetensors is damaged"):
        Voice.load(tmp_path / "junk.safetensors")
    with pytest.raises(AudioError, match="there is no voice file"):
        Voice.load(tmp_path / "nothing.safetensors")


def test_codes_of_another_codec_are_refused_by_both_names():
    with pytest.raises(CheckpointError) as caught:
        Voice("x", CODES).require("other:2")
    assert caught.value.message == "voice 'x' has codes of demo:1, the model speaks other:2"


def test_a_prompt_is_the_start_of_the_codes():
    assert Voice("x", CODES).prompt(0.04).tolist() == [[0, 1], [3, 4]]
    assert Voice("x", CODES).prompt(9.0).shape == (2, 3)


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (np.zeros(0), "has no samples"),
        (np.zeros(16_000), "is silent"),
        (np.full(16_000, np.nan), "are not finite"),
        (np.sin(np.arange(3_000)) / 2, "is too short"),
    ],
)
def test_a_recording_that_says_too_little_is_an_error(codec, samples, says):
    clip = Clip(samples.astype(np.float32), 16_000)
    with pytest.raises(AudioError, match=says):
        Voice.of(clip, codec, name="x", seconds=3.0)


def test_silence_before_the_speech_is_not_part_of_a_voice(codec, tone):
    late = Clip(np.concatenate([np.zeros(32_000, np.float32), tone.samples]), tone.sample_rate)
    voice = Voice.of(late, codec, name="x", seconds=30.0)
    assert voice.codes.seconds < 2.3


def test_loud_and_soft_recordings_of_a_voice_sound_alike(codec, tone):
    loud, soft = (
        Voice.of(
            Clip(tone.samples * np.float32(gain), tone.sample_rate),
            codec,
            name="x",
            seconds=3.0,
            decibels=(-26.0, -26.0),
        )
        for gain in (1.0, 0.1)
    )
    assert np.abs(loud.codes.values - soft.codes.values).max() <= 1
