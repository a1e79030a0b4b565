"""Follows a real run and says which files a reader must open to follow it.

    python tests/tour/follow_run.py

A file is on the path from text to sound if it is on the call stack when something happens that a
reader looks for: weights are read, text becomes phonemes, the backbone runs, the codec decodes,
audio is written. What these five do inside (`text`, `weights`, the component packages, ...) is
behind them and does not count.

A value type counts if it is an immutable attrs class that is made for the request, once the model
is open, and that one file on the path hands to another.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import attrs

ROOT = Path(__file__).parents[2]
PATH = ("__main__.py", "cli/", "synthesis/", "decoding/")
"""Where the path is; the rest of the project is behind what these call."""
MOMENTS = {
    ("vall_e/weights/file.py", "load"): "weights are read",
    ("vall_e/text/front_end.py", "read"): "text becomes phonemes",
    ("vall_e/audio/clip.py", "write"): "audio is written",
}
PACKAGES = {
    ("vall_e_backbones/", ""): "the backbone runs",
    ("vall_e_codecs/", "push"): "the codec decodes",
}
OPENED = "open_synthesizer"
"""The function after which the model is open."""


class Follower:
    """Collects the files and the value types of a run; a profile function."""

    def __init__(self) -> None:
        self.files: dict[str, set[str]] = {}
        """The moments of each file on the path, in the order in which they came first."""
        self._handed: set[type] = set()
        self._made: set[type] = set()
        self._open = False

    @property
    def types(self) -> list[str]:
        """The value types, by their full names."""
        return sorted(f"{each.__module__}.{each.__name__}" for each in self._handed & self._made)

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        if event not in ("call", "return"):
            return
        name, file = frame.f_code.co_name, _file(frame)
        if event == "call" and name == "__init__" and self._open:
            self._made.add(type(frame.f_locals.get("self")))
        if file is None:
            return
        self._open |= event == "return" and name == OPENED
        if event == "call" and (moment := _moment(file, name)):
            self._note(frame.f_back, moment)
        caller = _file(frame.f_back) if frame.f_back else None
        if caller and caller != file and _on_path(file) and _on_path(caller):
            handed = [*frame.f_locals.values()] if event == "call" else [value]
            self._handed |= {kind for one in handed for kind in _values(one)}

    def _note(self, frame: FrameType | None, moment: str) -> None:
        stack = []
        while frame is not None:
            if (file := _file(frame)) and _on_path(file):
                stack.append(file)
            frame = frame.f_back
        for file in reversed(stack):
            self.files.setdefault(file, set()).add(moment)


def follow(run: Callable[[], object]) -> Follower:
    """Runs it under a profile function."""
    follower, before = Follower(), sys.getprofile()
    sys.setprofile(follower)
    try:
        run()
    finally:
        sys.setprofile(before)
    return follower


def speak() -> None:
    """One short sentence through the built-in voice, as a user types it."""
    from vall_e.cli.app import cli

    with tempfile.TemporaryDirectory() as folder:
        words = ["synth", "Hello there.", "--seed", "1", "-o", f"{folder}/hello.wav"]
        cli(words, prog_name="vall-e", standalone_mode=False)


def _file(frame: FrameType) -> str | None:
    name = frame.f_code.co_filename
    return name[len(str(ROOT)) + 1 :] if name.startswith(f"{ROOT}/vall_e") else None


def _moment(file: str, function: str) -> str | None:
    if moment := MOMENTS.get((file, function)):
        return moment
    for (package, wanted), moment in PACKAGES.items():
        if file.startswith(package) and wanted in ("", function):
            return moment
    return None


def _on_path(file: str) -> bool:
    return file.removeprefix("vall_e/").startswith(PATH)


def _values(value: object) -> set[type]:
    """The immutable attrs classes of the project that a value is, or is a list of."""
    each = value if isinstance(value, (list, tuple)) else [value]
    return {
        type(one)
        for one in each
        if attrs.has(type(one))
        and type(one).__module__.startswith("vall_e.")
        and type(one).__setattr__ is not object.__setattr__
    }


def main() -> None:
    followed = follow(speak)
    lines = [f"{len(followed.files)} files from the command line to sound:"]
    lines += [f"  {file}: {', '.join(sorted(m))}" for file, m in followed.files.items()]
    lines += [f"{len(followed.types)} value types between them:"]
    lines += [f"  {name}" for name in followed.types]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
