import subprocess
import sys
from contextlib import suppress

import pytest

from vall_e.errors import DataError
from vall_e.folder_lock import LOCK, locked, take

SECOND = """
import sys
from pathlib import Path
from vall_e.errors import DataError
from vall_e.folder_lock import locked
try:
    with locked(Path(sys.argv[1]), error=DataError):
        print("held")
except DataError as exc:
    print(exc.message)
"""


def second_process(folder):
    arguments = [sys.executable, "-c", SECOND, str(folder)]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip()


def test_one_process_holds_a_folder_once(tmp_path):
    """And the second try takes nothing from the first."""
    with locked(tmp_path, error=DataError):
        with (
            pytest.raises(DataError, match="already being written by this process"),
            locked(tmp_path / ".." / tmp_path.name, error=DataError),
        ):
            pass
        assert "is being written by another process" in second_process(tmp_path)
    with locked(tmp_path, error=DataError):
        pass
    assert second_process(tmp_path) == "held"


def test_a_file_that_cannot_be_locked_is_not_taken_for_held(tmp_path):
    """As on a file system without locks; here, since it is open for reading only."""
    (tmp_path / LOCK).touch()
    with (tmp_path / LOCK).open() as file, pytest.raises(OSError, match="Bad file descriptor"):
        take(file.fileno())


def fail_in(folder, name=None):
    with suppress(KeyError), locked(folder, error=DataError):
        if name:
            (folder / name).touch()
        raise KeyError


def test_what_fails_leaves_no_litter(tmp_path):
    fail_in(tmp_path / "deep" / "out")
    assert not list(tmp_path.iterdir())
    fail_in(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_was_written_or_was_there_stays_when_something_fails(tmp_path):
    (tmp_path / "there").mkdir()
    fail_in(tmp_path / "there")
    fail_in(tmp_path / "out", "half")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["half", "out", "there"]
    with locked(tmp_path / "there", error=DataError):
        pass
    fail_in(tmp_path / "there")
    assert (tmp_path / "there" / LOCK).exists()
