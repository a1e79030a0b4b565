import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vall_e.atomic_write import atomic_path, write_atomically
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


KILLED = """
import os, pathlib, signal, sys
from vall_e.atomic_write import atomic_path
from vall_e.errors import AudioError
with atomic_path(pathlib.Path(sys.argv[1]), error=AudioError) as part:
    part.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / "a [1].wav"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(".part")
    write_atomically(tmp_path / "b.wav", b"other", error=AudioError)
    assert left.exists(), "another file's rest is not its business"
    write_atomically(path, b"whole", error=AudioError)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a [1].wav", "b.wav"]


def test_what_a_running_process_writes_stays(tmp_path):
    path = tmp_path / "a"
    with atomic_path(path, error=AudioError) as part:
        part.write_bytes(b"slow")
        other = part.with_name(part.name.replace(str(os.getpid()), str(os.getppid())))
        other.write_bytes(b"of a process that runs")
        write_atomically(tmp_path / "b", b"", error=AudioError)
    assert other.exists()
    assert path.read_bytes() == b"slow"


def test_a_rename_that_fails_is_an_error_with_the_name(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(AudioError, match="a cannot be written: Permission denied"):
        write_atomically(tmp_path / "a", b"", error=AudioError)
    assert list(tmp_path.iterdir()) == []
