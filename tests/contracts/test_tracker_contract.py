"""The contract of trackers refuses what only looks like one."""

import json

import pytest

from vall_e.testing import TrackerContract


class Lines:
    """A sound one: a line of JSON for each step."""

    def __init__(self, run):
        self.path = run.folder / "values.jsonl"
        before = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in before if json.loads(line)[0] <= run.step]
        self.path.write_text("".join(f"{line}\n" for line in kept))

    def log(self, step, values):
        with self.path.open("a") as file:
            file.write(json.dumps([step, dict(values)]) + "\n")

    def log_audio(self, step, name, path):
        pass

    def close(self):
        pass


class KeepsTheLoss(Lines):
    def log(self, step, values):
        super().log(step, {"loss": values["loss"]})


class StartsOver(Lines):
    def __init__(self, run):
        super().__init__(run)
        self.path.write_text("")


class KeepsWhatWasLost(Lines):
    def __init__(self, run):
        self.path = run.folder / "values.jsonl"
        self.path.touch()

    def log(self, step, values):
        if f"[{step}," not in self.path.read_text():
            super().log(step, values)


class MovesClips(Lines):
    def log_audio(self, step, name, path):
        path.rename(path.with_suffix(".moved"))


class ReportsItsStart(Lines):
    def __init__(self, run):
        super().__init__(run)
        self.log(0, {"started": 1.0})


class HasNoClips:
    def __init__(self, run):
        self.lines = Lines(run)
        self.log, self.close = self.lines.log, self.lines.close


def of(tracker):
    class Judged(TrackerContract):
        def make(self, run):
            return tracker(run)

        def read(self, folder):
            lines = map(json.loads, (folder / "values.jsonl").read_text().splitlines())
            return dict(lines)

    return Judged()


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (HasNoClips, "test_is_a_tracker"),
        (KeepsTheLoss, "test_keeps_every_value"),
        (StartsOver, "test_a_resumed_run_continues_the_record"),
        (KeepsWhatWasLost, "test_a_resumed_run_continues_the_record"),
        (MovesClips, "test_takes_a_clip"),
        (ReportsItsStart, "test_may_have_nothing_to_report"),
    ],
)
def test_a_broken_tracker_is_refused(broken, refused_by):
    with pytest.raises(AssertionError):
        getattr(of(broken), refused_by)()


@pytest.mark.parametrize("law", [name for name in dir(TrackerContract) if name.startswith("test_")])
def test_a_sound_tracker_passes(law):
    getattr(of(Lines), law)()
