"""Recordings and datasets in object storage, or anything else that fsspec supports. Torch-free.

A folder of recordings is represented by a local mirror: texts and tables are copied, recordings
are empty files, and each is downloaded when it is processed. A dataset is made in a local folder,
and uploaded when it is complete. https://filesystem-spec.readthedocs.io
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import attrs

from vall_e.data.dataset.manifest import INFO, write_text
from vall_e.data.ingest.audio_suffixes import AUDIO
from vall_e.errors import DataError, UnavailableError, VallEError
from vall_e.folder_lock import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vall_e.data.ingest.recordings import Recording

PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
"""Packages that fsspec needs, where its own error does not name them."""
SEEN = ".published.json"
"""The state of the URL when the work began."""
LARGE = 1 << 28  # bytes; larger files that are not audio are not read as tables


def is_url(place: str) -> bool:
    return "://" in place


def mirror(url: str, parent: Path) -> Path:
    """A folder in `parent` that mirrors `url`, with empty files for recordings.

    Raises `DataError` if nothing is there, or if a name would lead out of the folder.
    """
    files, root = _reach(url)
    try:
        found: dict[str, Any] = files.find(root, detail=True)
    except Exception as exc:
        raise _unreachable(url, exc) from exc
    if not found:
        raise DataError(f"{url} is empty", hint="give the folder that contains the audio")
    folder = parent / (PurePosixPath(root).name or "recordings")
    for name, facts in found.items():
        below = PurePosixPath(name).relative_to(root)
        if ".." in below.parts:
            raise DataError(f"{url} has a file called {below}", hint="rename the file there")
        path = folder / below
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in AUDIO or facts["size"] > LARGE:
            path.touch()
        else:
            _get(files, name, path, url)
    return folder


def located(recordings: Sequence[Recording], folder: Path, url: str) -> list[Recording]:
    """The recordings found in the mirror `folder`, with their URLs."""
    return [_located(one, folder, url) for one in recordings]


def _located(recording: Recording, folder: Path, url: str) -> Recording:
    if not recording.path.is_relative_to(folder):
        return recording
    below = recording.path.relative_to(folder).as_posix()
    return attrs.evolve(recording, url=f"{url.rstrip('/')}/{below}")


@contextmanager
def fetched(recording: Recording) -> Iterator[Path]:
    """A readable file with its audio: its path, or a temporary copy from its URL.

    Errors name the URL. Raises `DataError` if it cannot be downloaded.
    """
    if not recording.url:
        yield recording.path
        return
    with tempfile.TemporaryDirectory(prefix="vall-e-") as folder:
        path = Path(folder) / recording.path.name
        files, name = _reach(recording.url)
        _get(files, name, path, recording.url)
        try:
            yield path
        except VallEError as exc:
            message = exc.message.replace(str(path), recording.url)
            raise type(exc)(message, hint=exc.hint) from exc


def begin(url: str, folder: Path) -> None:
    """Download the dataset at `url` into `folder`, to add to it; nothing if there is none.

    A folder that is not empty is left unchanged: an interrupted run continues in it.
    """
    if folder.exists() and any(path.name != LOCK for path in folder.iterdir()):
        return
    files, root = _reach(url)
    part = folder.with_name(folder.name + ".part")  # an aborted download leaves no dataset
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        told = _description_at(files, root)
        for name in files.find(root) if told is not None else ():
            path = part / PurePosixPath(name).relative_to(root)
            path.parent.mkdir(parents=True, exist_ok=True)
            _get(files, name, path, url)
    except VallEError:
        raise
    except Exception as exc:
        raise _unreachable(url, exc) from exc
    write_text(part / SEEN, json.dumps(told))
    folder.mkdir(parents=True, exist_ok=True)
    for path in part.iterdir():
        path.rename(folder / path.name)
    part.rmdir()


def publish(folder: Path, url: str) -> None:
    """Upload the dataset in `folder` to `url`; the file that marks it as complete comes last.

    Raises `DataError` if someone else has changed it there since the work began.
    """
    files, root = _reach(url)
    seen = folder / SEEN
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    paths = [path for path in paths if path.name != LOCK and path != seen]
    paths.sort(key=lambda path: path.name == INFO)
    try:
        if seen.exists() and _description_at(files, root) != json.loads(
            seen.read_text(encoding="utf-8")
        ):
            raise DataError(
                f"{url} was changed by someone else since this run began",
                hint=f"give another URL; {folder} has the result of this run",
            )
        for path in paths:
            name = f"{root}/{path.relative_to(folder).as_posix()}"
            files.makedirs(files._parent(name), exist_ok=True)
            files.put_file(str(path), name)
    except VallEError:
        raise
    except Exception as exc:
        raise _unreachable(url, exc) from exc
    shutil.rmtree(folder)


def _get(files: Any, name: str, path: Path, url: str) -> None:
    try:
        files.get_file(name, str(path))
    except Exception as exc:
        raise _unreachable(url, exc) from exc


def _description_at(files: Any, root: str) -> str | None:
    """The dataset's description of itself at the URL."""
    name = f"{root}/{INFO}"
    if not files.exists(name):
        return None
    found: bytes = files.cat_file(name)
    return found.decode()


def _reach(url: str) -> tuple[Any, str]:
    """The file system, and the path in it. Raises `UnavailableError` if a package is missing."""
    from fsspec.core import url_to_fs

    scheme = url.partition("://")[0]
    try:
        files, path = url_to_fs(url)
    except ImportError as exc:
        package = PACKAGES.get(scheme, scheme)
        raise UnavailableError(
            f"{url} cannot be reached: {exc}", hint=f"pip install {package}"
        ) from exc
    except ValueError as exc:
        raise DataError(
            f"{url} cannot be reached: {exc}",
            hint="give a folder, or a URL like s3://BUCKET/FOLDER",
        ) from exc
    return files, path.rstrip("/")


def _unreachable(url: str, exc: Exception) -> DataError:
    return DataError(
        f"{url} cannot be reached: {type(exc).__name__}: {exc}",
        hint="check the URL, the network and your permissions; finished work is kept",
    )
