"""Audio files state what made them, and files of voices and codes notice damage."""

import numpy as np
import pytest
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.cli.app import App, cli
from vall_e.errors import AudioError, CheckpointError
from vall_e.synthesis.result import provenance_in
from vall_e.synthesis.voice import Voice


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_a_saved_file_states_its_provenance(tiny, tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    tiny.synthesize("hello ünd so", seed=7).save(path)
    found = provenance_in(path)
    assert (found["seed"], found["text"], found["voice"]) == (7, "hello ünd so", None)
    assert found["codec"] == tiny.codec.identity


def test_of_a_long_text_the_file_has_the_hash(tiny, tmp_path):
    text = "hello there. " * 50
    tiny.synthesize(text, seed=1, max_seconds=0.03).save(tmp_path / "a.wav")
    found = provenance_in(tmp_path / "a.wav")
    assert "text" not in found
    assert len(found["text_sha256"]) == 64


def test_other_audio_states_nothing(tone, tmp_path):
    tone.write(tmp_path / "a.wav")
    assert provenance_in(tmp_path / "a.wav") is None
    with pytest.raises(AudioError, match="there is no file"):
        provenance_in(tmp_path / "gone.wav")


def test_a_stream_states_it_in_its_header(weights, registry, tmp_path):
    path = tmp_path / "a.wav"
    words = ["synth", "hello", "-m", str(weights), "--seed", "3", "--stream", "-o", str(path)]
    done = CliRunner().invoke(cli, words, obj=App(registry=registry))
    assert done.exit_code == 0, done.output
    assert provenance_in(path)["seed"] == 3
    assert Clip.read(path).samples.size


@pytest.mark.parametrize("place", [-1, -20])
def test_a_flipped_byte_in_a_voice_or_codes_file_is_noticed(tiny, tone, tmp_path, place):
    voice = tiny.voice(tone, consent="mine")
    voice.save(tmp_path / "me.voice.safetensors")
    voice.codes.save(tmp_path / "me.codes.safetensors")
    for name, load in (("me.voice", Voice.load), ("me.codes", Codes.load)):
        path = tmp_path / f"{name}.safetensors"
        load(path)
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)
        with pytest.raises((CheckpointError, AudioError), match="is damaged"):
            load(path)


def test_a_changed_note_of_consent_is_noticed(tiny, tone, tmp_path):
    path = tmp_path / "me.voice.safetensors"
    tiny.voice(tone, consent="mine").save(path)
    path.write_bytes(path.read_bytes().replace(b'"consent":"mine"', b'"consent":"your"'))
    with pytest.raises(CheckpointError, match="does not match its hash"):
        Voice.load(path)


def test_voices_of_older_versions_are_still_read(tiny, tone, tmp_path):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "me.voice.safetensors"
    voice = tiny.voice(tone)
    voice.save(path)
    facts = {"vall_e.voice": "1", "name": "me", "codec": voice.codes.codec}
    facts |= {"frame_rate": repr(voice.codes.frame_rate), "sample_rate": "16000"}
    save_file(load_file(path), path, metadata=facts)
    assert np.array_equal(Voice.load(path).codes.values, voice.codes.values)


def test_the_command_shows_what_a_file_states(tiny, tmp_path):
    path = tmp_path / "a.wav"
    tiny.synthesize("hello", seed=7).save(path)
    done = CliRunner().invoke(cli, ["provenance", str(path)], obj=App(environ={}))
    assert done.exit_code == 0, done.output
    assert "Tags: synthetic speech, made by vall-e\n" in done.output
    assert "  seed: 7\n" in done.output
    assert "  text: hello\n" in done.output
