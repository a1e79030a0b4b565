"""Judging in other processes."""

import multiprocessing
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from vall_e.errors import UnavailableError
from vall_e.evaluation.clips import read_list
from vall_e.evaluation.judge_panel import Panel, judge_all


@pytest.mark.slow
@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_is_reported_and_leaves_no_process(listed, ended_by):
    dies = partial(signal.raise_signal, ended_by)  # in the other process
    with pytest.raises(UnavailableError, match="a judging process was killed") as caught:
        judge_all(read_list(listed).items, Panel([], {}), dies, workers=1)
    assert "fewer --workers" in caught.value.hint
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("says", ["DataLoader worker (pid 7) is killed by signal: Killed.", "boom"])
def test_only_a_killed_worker_is_reported_as_one(listed, says):
    def fails(_):
        raise RuntimeError(says)

    kind = UnavailableError if "killed" in says else RuntimeError
    with pytest.raises(kind, match=re.escape(says)):
        judge_all(read_list(listed).items, Panel([], {}), Panel, workers=0, on_judged=fails)


@pytest.mark.slow
@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM])
def test_who_ends_the_judging_leaves_no_worker(listed, ended_by):
    code = (
        "import sys; from functools import partial; from pathlib import Path; "
        "from vall_e.evaluation.clips import read_list; "
        "from vall_e.evaluation.judge_panel import Panel, judge_all; "
        "items, make = read_list(Path(sys.argv[1])).items, partial(Panel, [], {}); "
        "tell = lambda _: print('judged', flush=True); "
        "judge_all(items * 99999, make(), make, workers=2, on_judged=tell)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, listed], stdout=subprocess.PIPE, start_new_session=True
    ) as main:
        main.stdout.readline()
        assert len(processes_of(main.pid)) > 2
        main.send_signal(ended_by)
        assert main.wait(120) == -ended_by
        assert wait_for(lambda: processes_of(main.pid), lambda left: not left, 120) == []


def processes_of(session):
    """The processes of a session, by what Linux tells of each."""
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return [each for each in fields if int(each[3]) == session and each[0] != "Z"]


def wait_for(ask, enough, seconds):
    """The answer that is enough, or the last one when the time is over."""
    end = time.monotonic() + seconds
    while not enough(answer := ask()) and time.monotonic() < end:
        time.sleep(0.2)
    return answer
