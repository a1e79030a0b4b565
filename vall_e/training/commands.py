"""Commands for a run in progress: lines on stdin, and signals.

save            write a checkpoint now; it is never pruned
eval            validate now
export [FILE]   write the weights to a file of their own
lr X            change the learning rate that the schedule multiplies
quit            save and stop
COMMAND@STEP    the same, after that step
"""

from __future__ import annotations

import logging
import math
import os
import queue
import re
import threading

from attrs import frozen

log = logging.getLogger(__name__)

NAMES = ("save", "eval", "export", "lr", "quit")
_ORDER = re.compile(r"(?P<name>\w+)(?:\s+(?P<argument>[^@\s]+))?\s*(?:@\s*(?P<step>\d+))?")


@frozen
class RunCommand:
    """One command. `step` is the step after which it is carried out, None for now."""

    name: str
    argument: str = ""
    step: int | None = None

    @classmethod
    def parse(cls, line: str) -> RunCommand:
        """Raise `ValueError` that says what is allowed instead."""
        match = _ORDER.fullmatch(line.strip())
        if match is None or match["name"] not in NAMES:
            raise ValueError(f"unknown command {line.strip()!r}; use one of {', '.join(NAMES)}")
        argument = match["argument"] or ""
        if match["name"] == "lr" and not _is_rate(argument):
            raise ValueError(f"lr takes a positive number, as in `lr 1e-4`, not {argument!r}")
        if argument and match["name"] not in ("lr", "export"):
            raise ValueError(f"{match['name']} takes no argument, got {argument!r}")
        step = int(match["step"]) if match["step"] else None
        return cls(match["name"], argument, step)


class Commands:
    """Commands waiting to be carried out. `stop` may be called by a signal handler."""

    def __init__(self) -> None:
        self._new: queue.SimpleQueue[RunCommand] = queue.SimpleQueue()
        self._waiting: list[RunCommand] = []
        self.stopped_by: str | None = None

    def stop(self, reason: str) -> None:
        self.stopped_by = reason

    def give(self, line: str) -> None:
        """Accept a line; an invalid one is logged and ignored."""
        if not line.strip():
            return
        try:
            self._new.put(RunCommand.parse(line))
        except ValueError as exc:
            log.warning("%s", exc)

    def due(self, step: int) -> list[RunCommand]:
        """The commands to carry out after `step`, in the order in which they came."""
        while not self._new.empty():
            self._waiting.append(self._new.get())
        now = [order for order in self._waiting if order.step is None or order.step <= step]
        self._waiting = [order for order in self._waiting if order not in now]
        return now

    def listen(self, descriptor: int) -> None:
        """Read lines from a file descriptor until it ends, in a thread of its own.

        Read without Python's buffered reader: its lock, held by a waiting thread, would abort the
        interpreter's exit. A terminal is not read while another job is in its foreground, since
        that would suspend this process.
        """
        if not _readable(descriptor):
            return
        threading.Thread(target=self._read, args=(descriptor,), daemon=True).start()

    def _read(self, descriptor: int) -> None:
        rest = b""
        while True:
            try:
                chunk = os.read(descriptor, 4096)
            except OSError:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines if chunk else [*lines, rest]:
                self.give(line.decode("utf-8", "replace"))
            if not chunk:
                return


def _is_rate(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return value > 0 and math.isfinite(value)


def _readable(descriptor: int) -> bool:
    try:
        return not os.isatty(descriptor) or os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False
