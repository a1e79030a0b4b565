"""Several training processes on this machine, started and watched by torchrun's agent.

https://docs.pytorch.org/docs/stable/elastic/run.html
"""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from vall_e.errors import TrainingError

SECONDS = 0.2
"""How often the agent looks at the processes."""
THREADS = "OMP_NUM_THREADS"


class RankError(TrainingError):
    """A process ended with an error, which it has printed; `code` is its exit code."""

    def __init__(self, rank: int, code: int) -> None:
        why = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        super().__init__(
            f"rank {rank} {why}; the other processes were stopped",
            hint="its message, if any, is above; continue with --resume",
        )
        self.code = code if code > 0 else self.exit_code


def launch(processes: int, arguments: Sequence[str]) -> None:
    """Run `python -m vall_e ARGUMENTS` in so many processes, until all of them have ended.

    Raises `RankError` for the first that failed; the others are then stopped. SIGTERM and Ctrl-C
    are passed on to all of them.
    """
    try:
        with _threads_shared(processes), TemporaryDirectory() as folder:
            config = LaunchConfig(
                min_nodes=1,
                max_nodes=1,
                nproc_per_node=processes,
                run_id=uuid.uuid4().hex,
                rdzv_backend="c10d",
                rdzv_endpoint="localhost:0",
                max_restarts=0,
                monitor_interval=SECONDS,
                logs_specs=DefaultLogsSpecs(folder),  # where processes leave their errors
            )
            elastic_launch(config, sys.executable)("-m", "vall_e", *arguments)
    except ChildFailedError as exc:
        ended = sorted(exc.failures.items(), key=lambda item: item[1].timestamp)
        raise _first_failure({rank: failure.exitcode for rank, failure in ended}) from None
    except SignalException:
        pass  # the processes have saved a checkpoint, as one alone would


def _first_failure(codes: Mapping[int, int]) -> RankError:
    """The failure that ended the run, given the exit codes by rank, in the order of their end.

    The agent stops the other processes by SIGTERM, in the same second.
    """
    own = {rank: code for rank, code in codes.items() if code != -signal.SIGTERM} or codes
    rank, code = next(iter(own.items()))
    return RankError(rank, code)


@contextmanager
def _threads_shared(processes: int) -> Iterator[None]:
    """Processes that each use all cores would slow each other down."""
    if THREADS in os.environ:
        yield
        return
    os.environ[THREADS] = str(max((os.cpu_count() or 1) // processes, 1))
    try:
        yield
    finally:
        del os.environ[THREADS]
