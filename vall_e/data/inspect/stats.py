"""Statistics of a folder of recordings or codes: lengths, speakers, symbols, outliers. Torch-free.

Only the manifest of a dataset is read; of recordings, only headers and transcripts.
"""

from __future__ import annotations

import math
from collections import Counter
from os.path import normpath
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from attrs import field, frozen

from vall_e.data.dataset.manifest import INFO, read_entries
from vall_e.data.ingest.object_storage import is_url
from vall_e.data.ingest.recordings import find_recordings
from vall_e.data.ingest.rules import length_problem, repeated_ids, transcript_problem
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vall_e.data.ingest.recordings import Recording
    from vall_e.interfaces.store import Entry

WIDTHS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Widths of a histogram's bins, in seconds."""
BINS = 15
FEW = 8
"""With fewer utterances in a language, nothing counts as unusual."""
DEVIATIONS = 5.0
LEAST_FACTOR = 1.5
"""A pace is only unusual if it differs by at least this factor."""
RARE = 10


@frozen
class UtteranceInfo:
    """An utterance of a dataset, or a recording. `seconds` is 0 if unknown."""

    id: str
    speaker: str
    language: str
    seconds: float
    text: str
    phonemes: str = ""
    path: Path | None = None
    problem: str = ""
    start: float = 0.0
    end: float | None = None
    """The part of the file at `path`, in seconds; to the end if that is None."""

    @property
    def symbols(self) -> str:
        """The phonemes, or the text where there are none yet."""
        return self.phonemes or self.text

    @property
    def pace(self) -> float:
        """Symbols per second; 0 without a text or length."""
        return len(self.symbols) / self.seconds if self.seconds else 0.0


@frozen
class GroupStats:
    """The utterances of one speaker or one language."""

    name: str
    utterances: int
    seconds: float


@frozen
class Outlier:
    item: UtteranceInfo
    reason: str


@frozen
class Survey:
    """Statistics of many utterances."""

    items: Sequence[UtteranceInfo] = field(repr=False)

    @property
    def seconds(self) -> list[float]:
        """The known lengths, in ascending order."""
        return sorted(item.seconds for item in self.items if item.seconds)

    @property
    def speakers(self) -> list[GroupStats]:
        return _groups((item.speaker, item) for item in self.items)

    @property
    def languages(self) -> list[GroupStats]:
        return _groups((item.language or "unknown", item) for item in self.items)

    @property
    def symbols(self) -> Counter[str]:
        return Counter(symbol for item in self.items for symbol in item.symbols)

    @property
    def rare(self) -> Counter[str]:
        """Symbols that are too rare to learn."""
        return Counter({symbol: n for symbol, n in self.symbols.items() if n < RARE})

    def histogram(self) -> list[tuple[float, float, int]]:
        """Start, end (seconds) and count of at most 15 bins of equal width."""
        lengths = self.seconds
        if not lengths:
            return []
        width = next((w for w in WIDTHS if lengths[-1] / w < BINS), lengths[-1] / (BINS - 1))
        counts = Counter(int(length / width) for length in lengths)
        first, last = min(counts), max(counts)
        return [(n * width, (n + 1) * width, counts[n]) for n in range(first, last + 1)]

    def quantile(self, share: float) -> float:
        """The length, in seconds, that this share of the utterances does not reach; 0 if none."""
        lengths = self.seconds
        return lengths[min(int(share * len(lengths)), len(lengths) - 1)] if lengths else 0.0

    def outliers(self) -> list[Outlier]:
        """Utterances whose text hardly fits their length, the most unusual first.

        Paces are compared within a language: the logarithm differs from the median by at least five
        robust deviations (median of absolute deviations), and the pace by a factor of 1.5 or more.
        """
        found = [
            (distance, Outlier(item, _reason(item, middle)))
            for middle, limit, items in map(_spread, _by_language(self.items))
            for item in items
            if (distance := abs(math.log(item.pace) - middle)) > limit
        ]
        return [outlier for _, outlier in sorted(found, key=lambda pair: -pair[0])]


def survey(folder: Path, *, transcripts: Path | None = None) -> Survey:
    """Statistics of a dataset, or a folder of recordings. Raises `DataError` if it is neither."""
    if (folder / INFO).exists():
        return survey_of(read_entries(folder), folder)
    return Survey(items_of(find_recordings(folder, transcripts=transcripts)))


def items_of(recordings: Iterable[Recording]) -> list[UtteranceInfo]:
    """What headers and transcripts say, with the problems that they show."""
    return [_item(one, repeated) for one, repeated in repeated_ids(recordings)]


def survey_of(entries: Iterable[Entry], folder: Path) -> Survey:
    """Of a dataset's entries; their sources are relative to `folder`, or to its file."""
    return Survey(
        [
            UtteranceInfo(
                id=entry.id,
                speaker=entry.speaker,
                language=entry.language,
                seconds=entry.seconds,
                text=entry.text,
                phonemes=entry.phonemes,
                path=_path(folder, entry.source),
            )
            for entry in entries
        ]
    )


def _path(folder: Path, source: str) -> Path | None:
    return Path(normpath(folder.resolve() / source)) if source and not is_url(source) else None


def _item(recording: Recording, repeated: str) -> UtteranceInfo:
    seconds, unreadable = _length(recording)
    of_length = unreadable or length_problem(str(recording.path), seconds)
    return UtteranceInfo(
        id=recording.id,
        speaker=recording.speaker,
        language=recording.language or "",
        seconds=seconds,
        text=recording.text,
        path=recording.path,
        problem=repeated or transcript_problem(recording) or of_length,
        start=recording.start,
        end=recording.end,
    )


def _length(recording: Recording) -> tuple[float, str]:
    """Seconds according to the file's header, and any problem with it."""
    from vall_e.audio.audio_file import open_audio

    if recording.end is not None:
        return max(0.0, recording.end - recording.start), ""
    try:
        with open_audio(recording.path) as file:
            return file.seconds, ""
    except AudioError as exc:
        return 0.0, exc.message


def _groups(named: Iterable[tuple[str, UtteranceInfo]]) -> list[GroupStats]:
    """The longest first."""
    counts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for name, item in named:
        counts[name] += 1
        seconds[name] += item.seconds  # type: ignore[assignment]  # typeshed: a Counter counts
    names = sorted(counts, key=lambda name: (-seconds[name], name))
    return [GroupStats(name, counts[name], float(seconds[name])) for name in names]


def _by_language(items: Sequence[UtteranceInfo]) -> list[list[UtteranceInfo]]:
    groups: dict[str, list[UtteranceInfo]] = {}
    for item in items:
        if item.pace:
            groups.setdefault(item.language, []).append(item)
    return [group for group in groups.values() if len(group) >= FEW]


def _spread(items: list[UtteranceInfo]) -> tuple[float, float, list[UtteranceInfo]]:
    """The median of the logarithm of the paces, the limit for its deviations, and the items."""
    paces = [math.log(item.pace) for item in items]
    middle = median(paces)
    deviation = 1.4826 * median(abs(pace - middle) for pace in paces)
    return middle, max(DEVIATIONS * deviation, math.log(LEAST_FACTOR)), items


def _reason(item: UtteranceInfo, middle: float) -> str:
    slow = math.log(item.pace) < middle
    why = "missing text or long silence" if slow else "missing speech or too much text"
    return f"{item.pace:.1f} symbols per second, usual are {math.exp(middle):.1f}: {why}"
