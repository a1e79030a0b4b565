"""What every experiment tracker must do."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.interfaces.tracker import TrackedRun, Tracker

FIRST = {1: {"loss": 3.0, "validation.ar": 2.5}, 2: {"loss": 2.0}, 3: {"loss": 9.0}}
AGAIN = {3: {"loss": 1.0}, 4: {"loss": 0.5}}
"""What a run resumed after step 2 reports: step 3 once more, since it was lost."""

Values = dict[int, dict[str, float]]


class TrackerContract:
    """`make` builds a tracker of a run; `read` returns what it has kept, if it can be read here.

    `replaces`: whether a later value of a step replaces an earlier one in what `read` returns.
    """

    replaces = True

    def make(self, run: TrackedRun) -> Tracker:
        raise NotImplementedError

    def read(self, folder: Path) -> Values | None:
        return None

    def test_is_a_tracker(self) -> None:
        with _folder() as folder:
            tracker = self.make(TrackedRun(folder))
            assert isinstance(tracker, Tracker), "it lacks a method of `vall_e.plugin.Tracker`"
            tracker.close()

    def test_keeps_every_value(self) -> None:
        with _folder() as folder:
            _report(self.make(TrackedRun(folder, config={"seed": 3})), FIRST)
            found = self.read(folder)
            assert found in (None, FIRST), f"reported {FIRST}, kept {found}"

    def test_a_resumed_run_continues_the_record(self) -> None:
        with _folder() as folder:
            _report(self.make(TrackedRun(folder)), FIRST)
            _report(self.make(TrackedRun(folder, step=2)), AGAIN)
            found = self.read(folder)
            expected = {**FIRST, **AGAIN}
            if found is not None and not self.replaces:
                found, expected = _without_3(found), _without_3(expected)
            assert found in (None, expected), (
                f"a run resumed after step 2 gave {found}, expected {expected}: continue the "
                "record of `run.folder`, and replace what is after `run.step`"
            )

    def test_takes_a_clip(self) -> None:
        with _folder() as folder:
            path = folder / "clip.wav"
            Clip(np.zeros(800, np.float32), 16_000).write(path)
            tracker = self.make(TrackedRun(folder))
            tracker.log_audio(1, "clip", path)
            tracker.close()
            assert path.is_file(), "the clip was moved away: copy it"

    def test_may_have_nothing_to_report(self) -> None:
        with _folder() as folder:
            self.make(TrackedRun(folder)).close()
            found = self.read(folder)
            assert found in (None, {}), f"nothing was reported, kept {found}"


def _without_3(values: Values) -> Values:
    return {step: line for step, line in values.items() if step != 3}


def _report(tracker: Tracker, values: Values) -> None:
    for step, line in values.items():
        tracker.log(step, line)
    tracker.close()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vall-e-") as folder:
        run = Path(folder) / "run"
        run.mkdir()
        yield run
