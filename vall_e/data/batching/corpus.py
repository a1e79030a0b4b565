"""The utterances that a run trains on, from one or several datasets."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from attrs import define, field, frozen
from jaxtyping import Int, Int64
from torch import Tensor

from vall_e.data.batching.filter import Selection
from vall_e.data.dataset.open import BadItems, open_stored
from vall_e.errors import DataError, VallEError
from vall_e.interfaces.store import Entry, Info, Reduced, Stored
from vall_e.registry import Registry
from vall_e.text.unicode_form import canonical, spelling
from vall_e.text.vocabulary import Vocabulary

log = logging.getLogger(__name__)

UNREADABLE = (VallEError, OSError, EOFError, ValueError, TypeError, LookupError, RuntimeError)
"""Exceptions from libraries that read damaged files."""


class BadItemError(DataError):
    """An utterance whose codes differ from its dataset's description; the message names it."""


@frozen(eq=False)
class Utterance:
    """An entry with its text as token ids. `speaker` numbers the speakers of the whole corpus."""

    entry: Entry
    dataset: Stored = field(repr=False)
    speaker: int
    language: int
    text: np.ndarray = field(repr=False)
    spelling: np.ndarray | None = field(default=None, repr=False)
    """The written text as token ids; None if no task needs it."""

    def codes(self, start: int = 0, stop: int | None = None) -> Int[Tensor, "k f"]:
        """Raises `BadItemError` if they cannot be read, or cannot be from the dataset's codec."""
        return torch.from_numpy(read_codes(self.dataset, self.entry, start, stop))


def read_codes(
    dataset: Stored, entry: Entry, start: int = 0, stop: int | None = None
) -> Int64[np.ndarray, "k f"]:
    """Codes of an entry, checked against the dataset's description, or `BadItemError`."""
    info = dataset.info
    frames = len(range(entry.frames)[start:stop])
    try:
        codes = dataset.codes(entry, start, stop)
    except UNREADABLE as exc:
        raise _bad(dataset, entry, f"cannot be read: {exc}") from exc
    if codes.shape != (info.levels, frames):
        shape = f"{codes.shape[0]} of {info.levels} levels and {codes.shape[1]} of {frames} frames"
        raise _bad(dataset, entry, f"has {shape}")
    if not entry.frames:
        raise _bad(dataset, entry, "is empty")
    if codes.size and not 0 <= codes.min() <= codes.max() < info.codebook_size:
        raise _bad(dataset, entry, f"has codes from {codes.min()} to {codes.max()}")
    lasting = entry.frames / info.frame_rate
    if abs(lasting - entry.seconds) > max(0.2, 0.02 * entry.seconds):
        raise _bad(
            dataset,
            entry,
            f"claims {entry.seconds:.2f} s, but its codes last {lasting:.2f} s at "
            f"{info.frame_rate:g} frames per second",
        )
    return codes


def _bad(dataset: Stored, entry: Entry, why: str) -> BadItemError:
    return BadItemError(
        f"{entry.id!r} of {dataset.folder} {why}",
        hint="make the dataset again, or leave out such utterances with data.bad_items=skip",
    )


@frozen(eq=False)
class Corpus:
    """Utterances, grouped by the folder they come from.

    `groups` are ranges of `utterances`, one for each folder; `speakers[i]` lists the utterances of
    speaker i. A speaker belongs to a folder: the same name elsewhere is another person.
    """

    utterances: Sequence[Utterance] = field(repr=False)
    groups: Sequence[range]
    speakers: Sequence[Sequence[int]] = field(repr=False)
    info: Info
    left_out: Counter[str]
    space: Sequence[int] = ()
    """Ids placed between two texts that are joined."""

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def seconds(self) -> np.ndarray:
        return np.array([utterance.entry.seconds for utterance in self.utterances])

    def glued(
        self, others: Sequence[int], frames: int, rng: random.Random, *, parts: int = 1
    ) -> Int[Tensor, "k f"] | None:
        """`frames` of these utterances: random segments, of equal length in the first `parts`.

        Uses more utterances if one is too short, fewer if all are; None if there are none.
        """
        found: list[Tensor] = []
        missing = frames
        for turn, other in enumerate(others):
            if missing <= 0:
                break
            wanted = -(-missing // max(1, parts - turn))
            utterance = self.utterances[other]
            spare = utterance.entry.frames - wanted
            start = rng.randint(0, spare) if spare > 0 else 0
            found.append(utterance.codes(start, start + wanted))
            missing -= found[-1].shape[1]
        return torch.cat(found, dim=1) if found else None


def open_datasets(
    folders: Sequence[Path],
    registry: Registry,
    *,
    assumed: Info | None = None,
    bad_items: BadItems = "error",
) -> list[Stored]:
    """Datasets with the same codec and phonemizer, or `DataError`.

    `assumed` supplies what files of e-c-k-e-r/vall-e do not state; `bad_items` as in `open_stored`.
    """
    datasets = [
        open_stored(folder, registry, assumed=assumed, bad_items=bad_items) for folder in folders
    ]
    for dataset in datasets[1:]:
        require_alike(datasets[0], dataset)
    return datasets


def require_alike(first: Stored, other: Stored) -> None:
    """Raise `DataError` if codes or phonemes differ in meaning, so that no model can learn both."""
    differences = first.info.differences(other.info)
    if differences:
        raise DataError(
            f"{first.folder} was made with {first.info.describe(differences)}, "
            f"{other.folder} with {other.info.describe(differences)}",
            hint="process both with the same codec and text.phonemizer",
        )


def require_alike_codes(info: Info, noise: Stored) -> None:
    """Raise `DataError` if the codes of a noise dataset are from another codec."""
    differences = [name for name in info.differences(noise.info) if name != "phonemizer"]
    if differences:
        raise DataError(
            f"the noise in {noise.folder} was made with {noise.info.describe(differences)}, "
            f"the speech with {info.describe(differences)}",
            hint="process both with the same codec",
        )


def texts_of(datasets: Sequence[Stored], *, spelt: bool = False) -> Iterator[str]:
    """The input for a vocabulary: the phonemes of all entries, and their spelling."""
    for dataset in datasets:
        for entry in dataset.entries:
            yield canonical(entry.phonemes)
            if spelt:
                yield spelling(entry.text)


def make_corpus(
    datasets: Sequence[Stored],
    vocabulary: Vocabulary,
    languages: Sequence[str],
    *,
    seconds: tuple[float, float],
    unknown: Literal["error", "warn"] = "warn",
    limit: int | None = None,
    spelt: bool = False,
    speakers: Sequence[str] = (),
    least: int = 1,
    most: int = 0,
) -> Corpus:
    """The utterances within the limits whose language is in the run; of those the first `limit`.

    `spelt`: include their written texts. Only speakers whose names match one of the patterns in
    `speakers`, if any; each needs `least` utterances, and at most `most` are used.
    """
    numbers = _numbers(languages)
    gathering = _Gathering(
        Selection(seconds, numbers, speakers, least, most),
        _Encoder(vocabulary, unknown),
        numbers,
        spelt=spelt,
        limit=limit,
    )
    for dataset in datasets:
        gathering.add(dataset)
    return gathering.corpus(datasets[0].info)


@define(eq=False)
class _Gathering:
    """A corpus while datasets are being added."""

    selection: Selection
    encoder: _Encoder
    languages: dict[str, int]
    spelt: bool
    limit: int | None
    utterances: list[Utterance] = field(factory=list, init=False)
    groups: list[range] = field(factory=list, init=False)
    speakers: list[list[int]] = field(factory=list, init=False)
    left_out: Counter[str] = field(factory=Counter, init=False)

    def add(self, dataset: Stored) -> None:
        """Add the selected utterances of a dataset, as a group of its own."""
        start = len(self.utterances)
        if isinstance(dataset, Reduced) and dataset.left_out:
            self.left_out["that cannot be read"] += len(dataset.left_out)
        names: dict[str, int] = {}
        for entry in self.selection.of(dataset.entries, self.left_out):
            if self.limit is not None and len(self.utterances) == self.limit:
                break
            speaker = names.setdefault(entry.speaker, len(self.speakers))
            if speaker == len(self.speakers):
                self.speakers.append([])
            self.speakers[speaker].append(len(self.utterances))
            self.utterances.append(self._utterance(entry, dataset, speaker))
        self.groups.append(range(start, len(self.utterances)))

    def _utterance(self, entry: Entry, dataset: Stored, speaker: int) -> Utterance:
        text = self.encoder(canonical(entry.phonemes))
        letters = self.encoder(spelling(entry.text)) if self.spelt else None
        language = self.languages[entry.language]
        return Utterance(entry, dataset, speaker, language, text, letters)

    def corpus(self, info: Info) -> Corpus:
        """The corpus, or `DataError` if it is empty. `info` describes the codes."""
        if not self.utterances:
            reasons = ", ".join(f"{n} {reason}" for reason, n in self.left_out.items())
            raise DataError(
                f"no utterances are left to train on: {reasons}",
                hint="widen data.seconds or data.speakers, or add their language to text.languages",
            )
        self.encoder.report()
        return Corpus(
            utterances=self.utterances,
            groups=self.groups,
            speakers=self.speakers,
            info=info,
            left_out=self.left_out,
            space=self.encoder.vocabulary.look_up(" ").ids[1:-1],
        )


def _numbers(languages: Sequence[str]) -> dict[str, int]:
    """By language; one without a region, like `en`, means the first entry of that language."""
    numbers = {language: i for i, language in enumerate(languages)}
    for i, language in enumerate(languages):
        numbers.setdefault(language.partition("-")[0], i)
    return numbers


class _Encoder:
    """Phonemes to ids; unknown symbols are refused, or dropped with one warning for all."""

    def __init__(self, vocabulary: Vocabulary, unknown: Literal["error", "warn"]) -> None:
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.missing: Counter[str] = Counter()

    def __call__(self, text: str) -> np.ndarray:
        encoded = self.vocabulary.look_up(text)
        if encoded.unknown and self.unknown == "error":
            self.vocabulary.encode(text, unknown="error")
        self.missing += encoded.unknown
        return np.array(encoded.ids, dtype=np.int64)

    def report(self) -> None:
        if self.missing:
            symbols = ", ".join(f"{symbol!r} {n} times" for symbol, n in self.missing.most_common())
            log.warning("left out of the texts, since the vocabulary lacks them: %s", symbols)
