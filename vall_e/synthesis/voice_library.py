"""Voices by name: the built-in ones, and those that the user added. Torch-free.

A voice is kept as a recording, so that any model can use it. A voice that was
encoded (`.voice.safetensors`) can be kept too, and then only fits models of that codec.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from attrs import asdict, evolve, frozen

from vall_e.atomic_write import write_atomically
from vall_e.audio.clip import Clip
from vall_e.damaged_files import damage_as, parse_json, printable
from vall_e.errors import AudioError
from vall_e.text.unicode_form import require_characters

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
NO_VOICE = "none"
"""The name that stands for no voice prompt."""
LONGEST_SECONDS = 30.0
"""Seconds of a recording that are kept."""
ENCODED = ".voice.safetensors"
PACKAGED = ("text", "language", "speaker", "licence", "source")
"""The keys of a voice in `voices.json`, besides its name and file."""

log = logging.getLogger(__name__)


@frozen
class VoiceEntry:
    """A named voice: the path of its recording, and facts about it."""

    name: str
    path: Path
    origin: Literal["built-in", "yours"]
    text: str = ""
    """The words of the recording."""
    language: str = ""
    speaker: str = ""
    """A description of the speaker."""
    licence: str = ""
    source: str = ""
    consent: str = ""
    """Who allowed the voice to be used, and for what."""

    def to_json(self) -> dict[str, str]:
        return {**asdict(self), "path": str(self.path)}


def platform_home() -> Path:
    """The folder for an application's user data on this system."""
    home = Path.home()
    if sys.platform == "win32":
        return home / "AppData" / "Local" / "vall-e"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "vall-e"
    return home / ".local" / "share" / "vall-e"


def embedded_folder() -> Path:
    """The package folder with the built-in recordings and their `voices.json`."""
    return Path(str(resources.files("vall_e.embedded")))


class Voices:
    """The catalogue. `home` is the folder of the user's voices; None: built-in voices only."""

    def __init__(self, home: Path | None = None, *, built_in: Path | None = None) -> None:
        self._built_in = built_in or embedded_folder()
        self.folder = home / "voices" if home else None

    def entries(self) -> list[VoiceEntry]:
        """Built-in voices in the order of their file, then the user's by name."""
        return [*self._packaged(), *self._added()]

    @property
    def default(self) -> str | None:
        """The name of the first built-in voice, if the package has any."""
        return next((entry.name for entry in self._packaged()), None)

    def get(self, name: str) -> VoiceEntry:
        """Raise `AudioError` with the nearest names if no voice has this one."""
        known = {entry.name: entry for entry in self.entries()}
        if name in known:
            return known[name]
        if self.folder and NAME.fullmatch(name) and (self.folder / f"{name}.json").is_file():
            return _read(self.folder / f"{name}.json")  # raises what is wrong with it
        near = get_close_matches(name, known, n=1)
        hint = (
            f"did you mean {near[0]!r}?"
            if near
            else f"the voices are {', '.join(known) or 'none'};"
        )
        raise AudioError(
            f"no voice is called {name!r}, and no such file exists",
            hint=f"{hint} `voice=` may also name a recording",
        )

    def add(
        self,
        name: str,
        recording: Path,
        *,
        text: str = "",
        licence: str = "",
        consent: str = "",
        replace: bool = False,
    ) -> VoiceEntry:
        """Keep a copy of a recording, or of a file that `Voice.save` wrote, under a name."""
        folder = self._own_folder()
        self._check_name(name, replace=replace)
        for note in (text, licence, consent):
            require_characters(note)
        folder.mkdir(parents=True, exist_ok=True)
        if recording.name.endswith(ENCODED):
            path = folder / (name + ENCODED)
            write_atomically(path, _existing(recording).read_bytes(), error=AudioError)
        else:
            path = folder / f"{name}.flac"
            Clip.read(recording).mono().cut(0.0, LONGEST_SECONDS).check().write(path)
        entry = VoiceEntry(
            name,
            path,
            "yours",
            text=text,
            licence=licence,
            source=printable(recording),
            consent=consent,
        )
        self._write(entry)
        for other in folder.glob(f"{name}.*"):  # a recording replaced by codes, or the other way
            if other not in (path, folder / f"{name}.json") and other.stem.split(".")[0] == name:
                other.unlink()
        return entry

    def remove(self, name: str) -> VoiceEntry:
        """Delete a voice that the user added."""
        entry = self.get(name)
        if entry.origin == "built-in":
            raise AudioError(
                f"voice {name!r} is built in, so it cannot be removed",
                hint="only voices that you added can be removed; `vall-e voices list` shows them",
            )
        (entry.path.parent / f"{name}.json").unlink()
        entry.path.unlink(missing_ok=True)
        return entry

    def _packaged(self) -> list[VoiceEntry]:
        listing = self._built_in / "voices.json"
        if not listing.is_file():
            return []
        return [
            VoiceEntry(
                name=voice["name"],
                path=self._built_in / voice["file"],
                origin="built-in",
                **{key: voice[key] for key in PACKAGED if key in voice},
            )
            for voice in parse_json(listing.read_bytes())
        ]

    def _added(self) -> list[VoiceEntry]:
        if self.folder is None:
            return []
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(_read(path))
            except AudioError as exc:  # one damaged file must not take away the other voices
                log.warning("left out: %s; %s", exc.message, exc.hint)
        return found

    def _own_folder(self) -> Path:
        if self.folder is None:
            raise AudioError(
                "there is no folder to keep voices in", hint="pass home= to Voices, or to load()"
            )
        return self.folder

    def _check_name(self, name: str, *, replace: bool) -> None:
        if not NAME.fullmatch(name) or name == NO_VOICE:
            raise AudioError(
                f"{name!r} cannot be the name of a voice",
                hint=f"use lower-case letters, digits, - and _ (and not {NO_VOICE!r})",
            )
        taken = {entry.name: entry.origin for entry in self.entries()}.get(name)
        taken = taken or ("yours" if (self._own_folder() / f"{name}.json").exists() else None)
        if taken == "built-in":
            raise AudioError(f"voice {name!r} is built in", hint="choose another name")
        if taken and not replace:
            raise AudioError(
                f"there is a voice {name!r} already",
                hint="choose another name, or replace it with `replace=`",
            )

    def _write(self, entry: VoiceEntry) -> None:
        path = entry.path.parent / f"{entry.name}.json"
        known: dict[str, Any] = asdict(evolve(entry, path=Path(entry.path.name)))
        known["path"] = entry.path.name
        data = json.dumps(known, indent=2, ensure_ascii=False).encode()
        write_atomically(path, data, error=AudioError)


def _read(path: Path) -> VoiceEntry:
    with damage_as(AudioError, path, what="does not describe a voice", hint=f"delete {path}"):
        known = parse_json(path.read_bytes())
        wrong = [key for key, value in known.items() if not isinstance(value, str)]
        if wrong:
            raise ValueError(f"{wrong[0]} is not a text")
        return VoiceEntry(**{**known, "path": path.parent / known["path"]})


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise AudioError(f"there is no file {path}", hint="check the path")
    return path
