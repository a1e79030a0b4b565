import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from vall_e.audio.codes import SUFFIX, Codes, holds_codes
from vall_e.errors import CheckpointError, DataError


def codes(levels=2, frames=10, codec="tiny:1"):
    values = np.arange(levels * frames, dtype=np.int16).reshape(levels, frames)
    return Codes(values, codec, 50.0, 16_000)


@given(st.integers(1, 8), st.integers(0, 20), st.text(min_size=1).filter(str.isprintable))
@settings(max_examples=30)
def test_a_file_gives_back_the_codes(tmp_path_factory, levels, frames, codec):
    path = tmp_path_factory.mktemp("codes") / "a.safetensors"
    written = codes(levels, frames, codec)
    written.save(path)
    assert Codes.load(path) == written
    assert [each.name for each in path.parent.iterdir()] == ["a.safetensors"]


def test_a_slice_can_be_saved(tmp_path):
    part = codes().levels(1)
    part.save(tmp_path / "a.safetensors")
    assert Codes.load(tmp_path / "a.safetensors") == part


def test_codes_know_their_length():
    assert codes(frames=10).seconds == 0.2


def test_joined_codes_follow_one_another():
    joined = Codes.join([codes(frames=4), codes(frames=6)])
    assert joined.frames == 10
    np.testing.assert_array_equal(joined.values[:, 4:], codes(frames=6).values)


def test_fewer_levels_are_a_slice():
    np.testing.assert_array_equal(codes().levels(1).values, codes().values[:1])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: codes().levels(3), "these codes have 2 levels, not 3"),
        (lambda: codes().levels(0), "these codes have 2 levels, not 0"),
        (lambda: Codes.join([]), "there are no codes to join"),
        (lambda: Codes.join([codes(), codes(codec="b")]), "codec b, not tiny:1"),
        (lambda: Codes.join([codes(), codes(levels=1)]), "of 2 and 1 levels"),
        (lambda: Codes(np.zeros((1, 2), np.int64), "a", 1, 1), "not int64 (1, 2)"),
        (lambda: Codes(np.zeros(2, np.int16), "a", 1, 1), "not int16 (2,)"),
        (lambda: Codes(np.full((1, 2), -1, np.int16), "a", 1, 1), "cannot be negative, found -1"),
    ],
)
def test_what_is_wrong_is_reported(make, says):
    with pytest.raises(DataError) as caught:
        make()
    assert says in caught.value.message
    assert caught.value.hint


def test_codes_of_another_codec_are_refused(tmp_path):
    codes().save(tmp_path / "a.safetensors")
    assert Codes.load(tmp_path / "a.safetensors", codec="tiny:1") == codes()
    with pytest.raises(DataError, match="from the codec tiny:1, not other:2"):
        Codes.load(tmp_path / "a.safetensors", codec="other:2")


def test_files_that_hold_no_codes_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(DataError, match="there is no file"):
        Codes.load(path)
    save_file({"codes": codes().values}, path)
    with pytest.raises(DataError, match="contains no codes"):
        Codes.load(path)
    save_file({"codes": codes().values}, path, metadata={"vall_e.codes": "3"})
    with pytest.raises(
        DataError, match="has version 3 of the format, but this version of vall-e reads 1 and 2"
    ):
        Codes.load(path)
    save_file({"codes": codes().values}, path, metadata={"vall_e.codes": "1"})
    with pytest.raises(CheckpointError, match="damaged: 'codec'"):
        Codes.load(path)
    codes().save(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match="damaged"):
        Codes.load(path)


def test_a_file_of_codes_is_distinguished_from_others(tmp_path):
    codes().save(tmp_path / "a.safetensors")
    assert holds_codes(tmp_path / "a.safetensors")
    save_file({"codes": codes().values}, tmp_path / "b.safetensors")
    assert not holds_codes(tmp_path / "b.safetensors")
    damaged = tmp_path / f"c{SUFFIX}"
    damaged.write_bytes(b"no")
    assert holds_codes(damaged)  # so that it is said to be damaged
