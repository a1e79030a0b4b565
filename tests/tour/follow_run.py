"""Follows a real run and says which files a reader must open to follow it.

    python tests/tour/follow_run.py

A file is on the path from text to sound if it is on the call stack when something happens that a
reader looks for: weights are read, text becomes phonemes, the backbone runs, the codec decodes,
audio is written. What these do inside (`text`, `weights`, the component packages, ...) is behind
them and does not count. From a dataset to a loss it is the same, with other moments.

A value type counts if it is an immutable attrs class that is made once the model is open, and that
one file on the path hands to another.
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


@attrs.frozen
class Route:
    """What is followed, and where."""

    folders: tuple[str, ...]
    """Where the path is; the rest of the project is behind what these call."""
    moments: dict[tuple[str, str], str]
    """By the start of a file's name, and the name of a function in it or "" for any."""
    opened: str
    """The function after which the model is open."""


SPEECH = Route(
    folders=("__main__.py", "cli/", "synthesis/", "decoding/"),
    moments={
        ("vall_e/weights/file.py", "load"): "weights are read",
        ("vall_e/text/front_end.py", "read"): "text becomes phonemes",
        ("vall_e_backbones/", ""): "the backbone runs",
        ("vall_e_codecs/", "push"): "the codec decodes",
        ("vall_e/audio/clip.py", "write"): "audio is written",
    },
    opened="open_synthesizer",
)
TRAINING = Route(
    folders=("__main__.py", "cli/", "training/", "data/batching/"),
    moments={
        ("vall_e/data/dataset/open.py", "open_stored"): "a dataset is opened",
        ("vall_e/data/dataset/folder.py", "codes"): "codes are read",
        ("vall_e/tasks/", "sample"): "a sample is made",
        ("vall_e_backbones/", ""): "the backbone runs",
        ("vall_e/model/loss.py", ""): "the loss is computed",
    },
    opened="open_run",
)


class Follower:
    """Collects the files and the value types of a run; a profile function."""

    def __init__(self, route: Route) -> None:
        self.route = route
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
        self._open |= event == "return" and name == self.route.opened
        if event == "call" and (moment := self._moment(file, name)):
            self._note(frame.f_back, moment)
        caller = _file(frame.f_back) if frame.f_back else None
        if caller and caller != file and self._on_path(file) and self._on_path(caller):
            handed = [*frame.f_locals.values()] if event == "call" else [value]
            self._handed |= {kind for one in handed for kind in _values(one)}

    def _note(self, frame: FrameType | None, moment: str) -> None:
        stack = []
        while frame is not None:
            if (file := _file(frame)) and self._on_path(file):
                stack.append(file)
            frame = frame.f_back
        for file in reversed(stack):
            self.files.setdefault(file, set()).add(moment)

    def _moment(self, file: str, function: str) -> str | None:
        for (start, wanted), moment in self.route.moments.items():
            if file.startswith(start) and wanted in ("", function):
                return moment
        return None

    def _on_path(self, file: str) -> bool:
        return file.removeprefix("vall_e/").startswith(self.route.folders)


def follow(run: Callable[[], object], route: Route) -> Follower:
    """Runs it under a profile function."""
    follower, before = Follower(route), sys.getprofile()
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


RUN = """
model: {{backbone: {{name: llama, d_model: 16, layers: 1, heads: 2}}}}
codec: {{name: staircase, levels: 3, codebook_size: 16, sample_rate: 16000}}
text: {{phonemizer: none}}
data: {{train: [{folder}/data], validation: [], batch_seconds: 8, prompt_seconds: [0.3, 0.6]}}
training: {{max_steps: 1, output: {folder}/run}}
"""


def learn() -> None:
    """One step of training a small model on a small dataset, as a user types it."""
    from vall_e.cli.app import App, cli
    from vall_e.discovery import discover, registry_of
    from vall_e.registry import Registry
    from vall_e.testing import StaircaseCodec
    from vall_e.testing.fakes import components
    from vall_e.testing.fakes.tiny_dataset import write_dataset

    offers = [attrs.evolve(o, distribution="test") for o in registry_of([components]).offers]
    app = App(registry=Registry([*discover().offers, *offers]))
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(Path(folder, "data"), StaircaseCodec(levels=3))
        run = Path(folder, "run.yaml")
        run.write_text(RUN.format(folder=folder))
        cli(["train", str(run)], obj=app, prog_name="vall-e", standalone_mode=False)


def _file(frame: FrameType) -> str | None:
    name = frame.f_code.co_filename
    return name[len(str(ROOT)) + 1 :] if name.startswith(f"{ROOT}/vall_e") else None


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
    lines = []
    for title, run, route in (
        ("from the command line to sound", speak, SPEECH),
        ("from a dataset to the loss", learn, TRAINING),
    ):
        followed = follow(run, route)
        lines += [f"{len(followed.files)} files {title}:"]
        lines += [f"  {file}: {', '.join(sorted(m))}" for file, m in followed.files.items()]
        lines += [f"{len(followed.types)} value types between them:"]
        lines += [f"  {name}" for name in followed.types]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
