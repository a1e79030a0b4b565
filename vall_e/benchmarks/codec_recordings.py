"""The recordings that codecs are compared on, and hashes that identify them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from vall_e.audio.clip import Clip
from vall_e.data.ingest.recordings import Recording, find_recordings
from vall_e.data.ingest.tables import FORMATS


@frozen(eq=False)
class Material:
    """Mono recordings, and the name and hash of the file of each."""

    clips: tuple[Clip, ...]
    files: tuple[tuple[str, str], ...]

    @property
    def facts(self) -> dict[str, Any]:
        """The entries of a report; `sha256` is the hash of all hashes, in their order."""
        together = hashlib.sha256("".join(sha256 for _, sha256 in self.files).encode())
        return {
            "recordings": len(self.clips),
            "seconds": round(sum(clip.seconds for clip in self.clips), 3),
            "sha256": together.hexdigest(),
            "files": [{"file": name, "sha256": sha256} for name, sha256 in self.files],
        }


def gather(places: Sequence[Path], count: int | None = None) -> Material:
    """The first `count` recordings of files, folders and tables. Raises `AudioError`."""
    found = [recording for place in places for recording in _recordings(place)][:count]
    clips = [_clip(recording) for recording in found]
    files = [(r.path.name, hashlib.sha256(r.path.read_bytes()).hexdigest()) for r in found]
    return Material(tuple(clips), tuple(files))


def _recordings(place: Path) -> Iterator[Recording]:
    if place.is_dir():
        yield from find_recordings(place)
    elif place.suffix.lower() in FORMATS:
        yield from find_recordings(place.parent, transcripts=place)
    else:
        yield Recording(place.stem, place, text="", speaker="", language=None)


def _clip(recording: Recording) -> Clip:
    return Clip.read(recording.path).mono().cut(recording.start, recording.end).check()
