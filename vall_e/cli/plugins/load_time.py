"""The cost of loading one plugin, measured in a separate process for `vall-e plugins doctor`.

In the doctor's own process, imports of one plugin would be free for the next one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

from vall_e.discovery import installed, load
from vall_e.registry import PluginRecord

PATIENCE = 20.0
"""Seconds after which a plugin is considered to hang."""


@frozen
class Cost:
    """The cost of importing a plugin and calling its hooks."""

    seconds: float
    imports_torch: bool = False
    complaint: str = ""
    """Why it could not be measured."""


def measure(record: PluginRecord, *, patience: float = PATIENCE) -> Cost:
    """Start a new Python process and load only this plugin. Always returns, whatever happens there.

    The result is passed in a file, since plugins may write to stdout. The module path is ours, so
    that the same plugin is found.
    """
    with tempfile.TemporaryDirectory(prefix="vall-e-") as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-P", "-m", __name__]
        command += [str(answer), record.distribution, record.entry_point]
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        try:
            run = subprocess.run(  # noqa: S603  our own
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Cost(0.0, complaint=f"takes more than {patience:.0f} s to load in a new process")
        try:
            return Cost(**json.loads(answer.read_text()))
        except (OSError, ValueError, TypeError):
            return Cost(
                0.0, complaint=f"ends the process that loads it (exit code {run.returncode})"
            )


def main(answer: str, distribution: str, entry_point: str) -> None:
    """Load one plugin and write its cost to the file `answer`."""
    for point in installed():
        if (point.distribution, point.name) == (distribution, entry_point):
            before = _queued()
            _, record = load(point)
            cost: dict[str, object] = {
                "seconds": max(0.0, record.seconds - (_queued() - before)),
                "imports_torch": "torch" in sys.modules,
            }
            if record.reason:
                cost["complaint"] = f"fails to load in a new process: {record.reason}"
            Path(answer).write_text(json.dumps(cost))


def _queued() -> float:
    """Seconds that this thread waited for the CPU, which are not the plugin's fault.

    Linux counts them; elsewhere 0.
    """
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


if __name__ == "__main__":
    main(*sys.argv[1:])
