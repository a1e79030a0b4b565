"""Files of Descript's program: as loud and as long as the recording that they are of."""

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.ecker_codes import EckerCodes
from vall_e.audio.loudness import lufs
from vall_e.cli.codec.files import codes_of, save, write_sound
from vall_e.codec.long_audio import encode_file
from vall_e.errors import DataError
from vall_e.testing import StaircaseCodec


@pytest.fixture
def codec():
    codec = StaircaseCodec()
    codec.identity = "dac-16k:01"
    return codec


@pytest.fixture
def recording(tmp_path):
    t = np.arange(25_000) / 24_000
    Clip((0.3 * np.sin(700 * t)).astype("f4"), 24_000).write(tmp_path / "a.wav")
    return tmp_path / "a.wav"


def test_a_dac_file_holds_what_its_program_wants(codec, recording, tmp_path):
    file = tmp_path / "a.dac"
    save(encode_file(recording, codec), recording, file)
    facts = dict(np.load(file, allow_pickle=True)[()]["metadata"])
    clip = Clip.read(recording)
    assert facts.pop("input_db") == pytest.approx(lufs(clip.samples, 24_000))
    assert facts == {
        "original_length": 25_000,
        "sample_rate": 24_000,
        "chunk_length": 53,
        "channels": 1,
        "padding": True,
        "dac_version": "1.0.0",
    }


def test_its_sound_is_as_long_and_as_loud_as_stated(codec, recording, tmp_path):
    file = tmp_path / "a.dac"
    encoded = encode_file(recording, codec)
    facts = {"original_length": 25_000, "sample_rate": 24_000, "input_db": -33.0}
    EckerCodes(encoded.codes.values, "dac", facts).save(file)
    codes = codes_of(file, codec)
    assert codes == encoded.codes
    write_sound(codes, codec, source=file, target=tmp_path / "again.wav")
    clip = Clip.read(tmp_path / "again.wav")
    assert clip.seconds == pytest.approx(25_000 / 24_000, abs=1e-4)
    assert lufs(clip.samples, clip.sample_rate) == pytest.approx(-33, abs=0.01)


def test_what_was_made_window_by_window_is_refused(codec, tmp_path):
    file = tmp_path / "a.dac"
    EckerCodes(np.zeros((4, 9), np.int16), "dac", {"padding": False}).save(file)
    with pytest.raises(DataError, match="was made window by window") as caught:
        codes_of(file, codec)
    assert "--win_duration" in caught.value.hint
