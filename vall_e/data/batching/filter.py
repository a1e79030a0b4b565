"""Which utterances of a dataset a run trains on. Torch-free."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vall_e.interfaces.store import Entry


@frozen
class Selection:
    """The conditions for utterances, and the number used from each speaker."""

    seconds: tuple[float, float]
    languages: Mapping[str, int]
    speakers: Sequence[str] = ()
    """Patterns of names, of which one must match; empty: all speakers."""
    least: int = 1
    """Utterances of a speaker; speakers with fewer are left out."""
    most: int = field(default=0)
    """Utterances of a speaker, spread evenly over all; 0: no limit."""

    def of(self, entries: Iterable[Entry], left_out: Counter[str]) -> Iterator[Entry]:
        """The selected utterances of one dataset, in order; counts why others are left out."""
        fit = self._fit(entries, left_out)
        return fit if self.least <= 1 and not self.most else self._counted(list(fit), left_out)

    def _fit(self, entries: Iterable[Entry], left_out: Counter[str]) -> Iterator[Entry]:
        for entry in entries:
            reason = self._unfit(entry)
            if reason:
                left_out[reason] += 1
            else:
                yield entry

    def _unfit(self, entry: Entry) -> str:
        if entry.seconds < self.seconds[0]:
            return f"under {self.seconds[0]:g} s"
        if entry.seconds > self.seconds[1]:
            return f"over {self.seconds[1]:g} s"
        if entry.language not in self.languages:
            return f"in {entry.language}"
        if self.speakers and not any(fnmatchcase(entry.speaker, one) for one in self.speakers):
            return f"of speakers other than {', '.join(self.speakers)}"
        return ""

    def _counted(self, entries: Sequence[Entry], left_out: Counter[str]) -> Iterator[Entry]:
        places: dict[str, list[int]] = {}
        for place, entry in enumerate(entries):
            places.setdefault(entry.speaker, []).append(place)
        taken: set[int] = set()
        for own in places.values():
            if len(own) < self.least:
                left_out[f"of speakers with under {self.least}"] += len(own)
                continue
            most = min(len(own), self.most or len(own))
            taken.update(own[turn * len(own) // most] for turn in range(most))
            if len(own) > most:
                left_out[f"beyond the {self.most} of their speaker"] += len(own) - most
        return (entry for place, entry in enumerate(entries) if place in taken)
