"""What finding one plugin costs, measured in a process of its own for `vall-e plugins doctor`.

In the doctor's own process, what one plugin has imported would cost the next one nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from attrs import frozen

from vall_e.registry import PluginRecord, installed, load


@frozen
class Cost:
    """Of importing a plugin and calling its hooks."""

    seconds: float
    imports_torch: bool


def measure(record: PluginRecord) -> Cost:
    """Start Python anew and load this plugin alone."""
    command = [sys.executable, "-P", "-m", __name__, record.distribution, record.entry_point]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  our own
    told: dict[str, Any] = json.loads(run.stdout)
    return Cost(**told)


def main(distribution: str, entry_point: str) -> None:
    for point in installed():
        if (point.distribution, point.name) == (distribution, entry_point):
            _, record = load(point)
            cost = {"seconds": record.seconds, "imports_torch": "torch" in sys.modules}
            sys.stdout.write(json.dumps(cost))


if __name__ == "__main__":
    main(*sys.argv[1:])
