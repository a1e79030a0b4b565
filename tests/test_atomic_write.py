import os
import re
from pathlib import Path

import pytest

from vall_e.atomic_write import write_atomically
from vall_e.errors import AudioError, ConfigError


def test_a_file_is_written_and_replaced(tmp_path):
    for data in (b"one", b"two"):
        write_atomically(tmp_path / "a", data, error=AudioError)
    assert (tmp_path / "a").read_bytes() == b"two"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_long_name_that_the_disk_takes_is_taken(tmp_path):
    write_atomically(tmp_path / ("x" * 255), b"", error=AudioError)
    assert [path.name for path in tmp_path.iterdir()] == ["x" * 255]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no/a", "make the folder .*no first"),
        ("file/a", "give a path in a folder"),
        ("folder", "this is a folder"),
        ("x" * 300, "give a shorter name"),
        ("locked/a", "check the permissions of .*locked"),
    ],
)
def test_the_hint_says_what_to_do(tmp_path, monkeypatch, name, says):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "locked").mkdir()
    if name.startswith("locked"):  # root may write anywhere

        def refuse(path, data):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        write_atomically(tmp_path / name, b"", error=ConfigError)
    assert caught.value.hint
    assert re.search(says, caught.value.hint)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder", "locked"]
