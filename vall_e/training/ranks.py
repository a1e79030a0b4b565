"""Which process of a run this is: the variables that torchrun sets. No torch at the top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen

from vall_e.errors import TrainingError, VallEError


@frozen
class Ranks:
    """The number of this process among all of a run, and among those of its machine."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    restarts: int = 0
    """How often torchrun has started the processes again after a failure."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Ranks:
        """One process, unless torchrun started several. `TrainingError` for other variables."""
        ranks = cls(
            _number(environ, "RANK", 0),
            _number(environ, "WORLD_SIZE", 1),
            _number(environ, "LOCAL_RANK", 0),
            _number(environ, "TORCHELASTIC_RESTART_COUNT", 0),
        )
        if not ranks.rank < ranks.world_size:
            raise TrainingError(
                f"the variable RANK is {ranks.rank}, WORLD_SIZE is {ranks.world_size}: "
                "ranks count from 0",
                hint="unset them, or start the processes with torchrun",
            )
        return ranks

    @contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Name the process in its errors, if there are several, and report them to torchrun."""
        try:
            yield
        except Exception as exc:
            if self.world_size > 1:
                from torch.distributed.elastic.multiprocessing.errors import get_error_handler

                get_error_handler().record_exception(exc)
                if isinstance(exc, VallEError):
                    exc.message = f"rank {self.rank}: {exc.message}"
            raise


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()):
        raise TrainingError(
            f"the variable {name} is {text!r}, which is not the number of a process",
            hint="unset it, or start the processes with torchrun",
        )
    return int(text)
