"""The peak memory of this process. Torch-free."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_bytes() -> int | None:
    """Of this program alone; None if the system does not report it.

    Linux has two records. That of `getrusage` is inherited from the process that started this one,
    however much memory that used, so the other one is read.
    """
    if sys.platform == "win32":
        return None
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
