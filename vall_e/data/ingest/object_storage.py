"""Recordings and datasets in object storage, or wherever else fsspec reaches. Torch-free.

A folder of recordings is told by a mirror of it here: texts and tables are copied, recordings are
empty files, each fetched when its turn comes, by who prepares it. A dataset is made in a folder
here, and put there once it is complete. https://filesystem-spec.readthedocs.io
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
"""What fsspec needs beside itself, where it does not say so well."""
SEEN = ".published.json"
"""What was at the URL when the work began."""
LARGE = 1 << 28  # bytes of a file that is not audio, from which on nobody reads it as a table


def is_url(place: str) -> bool:
    return "://" in place


def mirror(url: str, parent: Path) -> Path:
    """A folder in `parent` that looks like that at `url`, with empty files for recordings.

    Raises `DataError` where nothing is, or where a name would lead out of the folder.
    """
    files, root = _reach(url)
    try:
        found: dict[str, Any] = files.find(root, detail=True)
    except Exception as exc:
        raise _unreachable(url, exc) from exc
    if not found:
        raise DataError(f"{url} holds nothing", hint="name the folder that holds the audio")
    folder = parent / (PurePosixPath(root).name or "recordings")
    for name, facts in found.items():
        below = PurePosixPath(name).relative_to(root)
        if ".." in below.parts:
            raise DataError(f"{url} has a file called {below}", hint="give it another name there")
        path = folder / below
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in AUDIO or facts["size"] > LARGE:
            path.touch()
        else:
            _get(files, name, path, url)
    return folder


def located(recordings: Sequence[Recording], folder: Path, url: str) -> list[Recording]:
    """Those that were found in the mirror `folder`, with the URL of each."""
    return [_located(one, folder, url) for one in recordings]


def _located(recording: Recording, folder: Path, url: str) -> Recording:
    if not recording.path.is_relative_to(folder):
        return recording
    below = recording.path.relative_to(folder).as_posix()
    return attrs.evolve(recording, url=f"{url.rstrip('/')}/{below}")


@contextmanager
def fetched(recording: Recording) -> Iterator[Path]:
    """Where its sound can be read: its path, or a copy of what is at its URL, for the while.

    Errors name the URL. Raises `DataError` if it cannot be fetched.
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
    """Fetch the dataset at `url` into `folder`, to be added to; nothing where there is none.

    A folder that holds something is left as it is: a run that was stopped goes on in it.
    """
    if folder.exists() and any(path.name != LOCK for path in folder.iterdir()):
        return
    files, root = _reach(url)
    part = folder.with_name(folder.name + ".part")  # a fetch that is broken off leaves no dataset
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        told = _told(files, root)
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
    """Move the dataset in `folder` to `url`: what says that it is complete comes last.

    Raises `DataError` if somebody else has changed it there since the work began.
    """
    files, root = _reach(url)
    seen = folder / SEEN
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    paths = [path for path in paths if path.name != LOCK and path != seen]
    paths.sort(key=lambda path: path.name == INFO)
    try:
        if seen.exists() and _told(files, root) != json.loads(seen.read_text(encoding="utf-8")):
            raise DataError(
                f"{url} was changed by somebody else since this run began",
                hint=f"name another URL, or look into {folder}, which has what was made here",
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


def _told(files: Any, root: str) -> str | None:
    """What the dataset there says of itself."""
    name = f"{root}/{INFO}"
    if not files.exists(name):
        return None
    found: bytes = files.cat_file(name)
    return found.decode()


def _reach(url: str) -> tuple[Any, str]:
    """The file system, and the path in it. Raises `UnavailableError` where a package is missing."""
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
            f"{url} cannot be reached: {exc}", hint="name a folder, or a URL as s3://BUCKET/FOLDER"
        ) from exc
    return files, path.rstrip("/")


def _unreachable(url: str, exc: Exception) -> DataError:
    return DataError(
        f"{url} cannot be reached: {type(exc).__name__}: {exc}",
        hint="check the URL, the network and your rights; what was done is kept",
    )
