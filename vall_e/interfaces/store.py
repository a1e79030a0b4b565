"""What the core asks of a store: a way to keep utterances with their codes on disk. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from jaxtyping import Int16, Int64

FORMAT = 1


@frozen
class Info:
    """Metadata of a dataset. Counts are those of the manifest, once `complete` is true."""

    codec: str
    frame_rate: float
    sample_rate: int
    levels: int
    codebook_size: int
    phonemizer: str
    complete: bool = False
    utterances: int = 0
    speakers: int = 0
    seconds: float = 0.0
    format: int = FORMAT

    def differences(self, other: Info) -> list[str]:
        """Names of the settings (not counts) that prevent the two from sharing a folder."""
        names = ("codec", "frame_rate", "levels", "codebook_size", "phonemizer", "format")
        return [name for name in names if getattr(self, name) != getattr(other, name)]

    def describe(self, names: Sequence[str]) -> str:
        """These settings with their values, for a message."""
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)


@frozen
class Entry:
    """An utterance, without its codes.

    The codes of all utterances form one sequence, in which these are frames `offset` to
    `offset + frames`. `source` is the path of the recording, relative to the dataset's folder;
    empty if it is not known.
    """

    id: str
    speaker: str
    language: str
    text: str
    phonemes: str
    seconds: float
    offset: int
    frames: int
    source: str = ""


@frozen(eq=False)
class Item:
    """An utterance with its codes, on its way from one store to another."""

    entry: Entry
    codes: Int16[np.ndarray, "k f"]


@runtime_checkable
class Stored(Protocol):
    """An open dataset. Picklable: each loader process reopens its files.

    Raises `DataError` or `CheckpointError`, which name the file, if something is damaged.
    """

    @property
    def folder(self) -> Path:
        """The folder or file of the dataset."""
        ...

    @property
    def info(self) -> Info: ...

    @property
    def entries(self) -> Sequence[Entry]:
        """In the order in which they were written, each with an `offset`."""
        ...

    def codes(
        self, entry: Entry, start: int = 0, stop: int | None = None
    ) -> Int64[np.ndarray, "k f"]:
        """Frames `start` to `stop` of one of `entries`, or to its end."""
        ...


@runtime_checkable
class Store(Protocol):
    """Opens and writes datasets of one kind."""

    def holds(self, path: Path) -> bool:
        """Whether this looks like one of its datasets. Quick: no file is read completely."""
        ...

    def open(self, path: Path, *, assumed: Info | None = None) -> Stored:
        """A complete dataset. `assumed` is for files that do not say which codec made them."""
        ...

    def write(self, path: Path, info: Info, items: Iterable[Item]) -> Info:
        """Write a new dataset at `path`, which must not exist; returns its `info`, complete.

        Items are taken one by one, and their offsets are computed again. A store that cannot write
        raises `DataError`, as does one that finds something at `path`.
        """
        ...


@runtime_checkable
class Lenient(Protocol):
    """A store that can also open a partly damaged dataset, for `data.bad_items: skip`.

    Entries that cannot be listed are left out, named in the log and kept in `left_out` (`Reduced`);
    entries that can be listed but not read are left to `Stored.codes`.
    """

    def lenient(self) -> Store: ...


@runtime_checkable
class Reduced(Protocol):
    """A dataset without the entries that could not be listed."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """The reasons, by the names of the missing entries."""
        ...
