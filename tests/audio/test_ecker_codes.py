"""Files of codes of e-c-k-e-r: read with nothing run, written so that its programs read them."""

import io
import pickle
import pickletools
from contextlib import suppress

import numpy as np
import pytest

from vall_e.audio.ecker_codes import EckerCodes, is_ecker
from vall_e.audio.safe_npy import read_dictionary
from vall_e.errors import CheckpointError, DataError
from vall_e.testing import StaircaseCodec

VALUES = np.arange(12, dtype=np.int16).reshape(3, 4)
FACTS = {
    "original_length": 1280,
    "sample_rate": 24_000,
    "text": "a man",
    "phonemes": ["a", "n"],
    "input_db": np.array([-20.5], np.float32),
    "padding": True,
    "similar": [1, 2],
    "language": None,
}


def theirs(path, content, protocol=4):
    """As e-c-k-e-r/vall-e writes it; other protocols as older versions of numpy do."""
    out = io.BytesIO()
    np.save(out, np.array(content, dtype=object), allow_pickle=True)
    pickled = pickle.dumps(np.array(content, dtype=object), protocol=protocol)
    header = out.getvalue()[: out.getvalue().index(b"\n") + 1]
    path.write_bytes(header + pickled)
    return path


def forged(path, pickled):
    out = io.BytesIO()
    np.save(out, np.array({}, dtype=object), allow_pickle=True)
    path.write_bytes(out.getvalue()[: out.getvalue().index(b"\n") + 1] + pickled)
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_file_of_the_original_is_read(tmp_path, protocol):
    content = {"codes": VALUES[None].astype(np.uint16), "metadata": FACTS}
    found = EckerCodes.load(theirs(tmp_path / "a.enc", content, protocol))
    assert found.values.tolist() == VALUES.tolist()
    assert found.family == "encodec"
    assert found.seconds == 1280 / 24_000
    assert found.facts["input_db"] == np.float32(-20.5)
    assert {**found.facts, "input_db": 0} == {**FACTS, "input_db": 0}


def test_what_is_written_is_read_by_numpy_and_by_us(tmp_path):
    codes = EckerCodes(VALUES, "dac", {"original_length": 9, "sample_rate": 3})
    codes.save(tmp_path / "a.dac")
    again = np.load(tmp_path / "a.dac", allow_pickle=True)[()]
    assert again["codes"].dtype == np.uint16
    assert again["codes"].tolist() == [VALUES.tolist()]
    assert again["metadata"] == codes.facts
    assert EckerCodes.load(tmp_path / "a.dac") == codes


def test_the_ending_says_whose_codes_they_are(tmp_path):
    with pytest.raises(DataError, match="files with codes of dac must end") as caught:
        EckerCodes(VALUES, "dac").save(tmp_path / "a.enc")
    assert "a.dac" in caught.value.hint
    assert is_ecker(tmp_path / "A.ENC")
    with pytest.raises(DataError, match=r"does not end in \.enc"):
        EckerCodes.load(tmp_path / "a.wav")


class Malicious:
    def __init__(self, target, *words):
        self.target, self.words = target, words

    def __reduce__(self):
        return self.target, self.words


@pytest.mark.parametrize("where", ["codes", "metadata", "root"])
def test_a_malicious_file_is_named_and_not_run(tmp_path, where):
    mark = tmp_path / "mark"
    bad = Malicious(exec, f"open({str(mark)!r}, 'w')")
    content = bad if where == "root" else {"codes": VALUES, "metadata": {}, where: bad}
    path = forged(tmp_path / "a.enc", pickle.dumps(content))
    with pytest.raises(CheckpointError, match=r"a\.enc is a pickle that calls builtins\.exec"):
        EckerCodes.load(path)
    assert not mark.exists()


def test_no_way_around_the_names(tmp_path):
    array = pickle.dumps(VALUES, protocol=2)
    for number, pickled in enumerate(
        (
            b"cnumpy\nsave\n.",
            b"cnumpy.core.multiarray\nset_typeDict\n.",
            b"\x80\x04\x8c\x05numpy\x8c\x0bcompat.os.x\x93.",  # a dotted name
            b"P0\n.",  # a persistent id
            b"cnumpy\nndarray\n}(S'__call__'\nK\x01ub.",  # changing one of ours
            b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",  # a bare type
            array.replace(b"i2", b"O8"),  # an array whose bytes would be addresses
            array[:-9] + b".",
            pickle.dumps({"codes": {1, 2}}),
            pickle.dumps({1: 2}),
            pickle.dumps([1]),
            b"",
        )
    ):
        with pytest.raises(CheckpointError, match=rf"{number}\.enc"):
            read_dictionary(forged(tmp_path / f"{number}.enc", pickled))
    pickletools.dis(array, out=io.StringIO())  # the forgeries start from a sound pickle


def test_an_array_has_the_bytes_of_its_shape(tmp_path):
    pickled = pickle.dumps({"codes": VALUES.astype("<u2")}, protocol=4)
    assert pickled.count(b"K\x03K\x04\x86") == 1
    longer = pickled.replace(b"K\x03K\x04\x86", b"K\x7fK\x7f\x86")
    with pytest.raises(CheckpointError, match=r"an array of the shape \(127, 127\) has 24 bytes"):
        read_dictionary(forged(tmp_path / "a.enc", longer))


def test_any_damage_is_reported_and_nothing_else(tmp_path):
    content = {"codes": VALUES[None].astype(np.uint16), "metadata": FACTS}
    sound = theirs(tmp_path / "a.enc", content).read_bytes()
    rng = np.random.default_rng(0)
    for place in range(0, len(sound), 17):
        damaged = bytearray(sound)
        damaged[place] = rng.integers(256)
        for data in (bytes(damaged), sound[:place]):
            (tmp_path / "b.enc").write_bytes(data)
            with suppress(CheckpointError):  # anything else fails the test
                EckerCodes.load(tmp_path / "b.enc")


@pytest.mark.parametrize(
    "codes", [None, VALUES.astype(float), VALUES[0], VALUES.astype(np.uint16) + 2**15, [[1]]]
)
def test_what_is_not_codes_is_refused(tmp_path, codes):
    path = theirs(tmp_path / "a.enc", {"codes": codes, "metadata": {}})
    with pytest.raises(CheckpointError, match=r"a\.enc (contains no|has) "):
        EckerCodes.load(path)


def test_codes_become_those_of_a_codec_that_can_have_made_them(tmp_path):
    codec, path = StaircaseCodec(), tmp_path / "a.enc"
    codec.identity = "encodec-24k:01"
    values = np.zeros((codec.levels, 50), np.int16)
    length = round(50 / codec.frame_rate * codec.sample_rate)
    facts = {"original_length": length, "sample_rate": codec.sample_rate}
    assert EckerCodes(values, "encodec", facts).of(codec, path).codec == "encodec-24k:01"
    with pytest.raises(DataError, match="has codes of dac, but the codec is encodec-24k:01"):
        EckerCodes(values, "dac", facts).of(codec, path)
    with pytest.raises(DataError, match="levels, but the codec"):
        EckerCodes(np.concatenate([values, values]), "encodec", facts).of(codec, path)
    with pytest.raises(DataError, match="frames per second"):
        EckerCodes(values, "encodec", {**facts, "original_length": 3 * length}).of(codec, path)
