"""The processes of a run: how they find each other, exchange values, and notice a lost one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from vall_e.errors import TrainingError, UnavailableError
from vall_e.training.ranks import Ranks

BACKENDS = "cpu:gloo,cuda:nccl"
"""Gloo also next to NCCL: small values are exchanged without synchronizing the GPU."""
SETTLE_SECONDS = 0.1
LOST = ("Connection closed", "Connection reset", "Timed out", "timed out", "timeout", "NCCL")
"""What messages of gloo and NCCL contain if another process is gone or does not answer."""

T = TypeVar("T")


class ProcessGroup:
    """The processes that torchrun started. Their variables MASTER_ADDR and so on must be set."""

    def __init__(self, ranks: Ranks, device: torch.device, timeout_seconds: float) -> None:
        self.ranks = ranks
        wait = timedelta(seconds=timeout_seconds)
        try:
            store, _, _ = next(rendezvous("env://", timeout=wait))
            dist.init_process_group(
                BACKENDS if device.type == "cuda" else "gloo",
                store=store,
                rank=ranks.rank,
                world_size=ranks.world_size,
                timeout=wait,
            )
        except (ValueError, RuntimeError) as exc:
            raise UnavailableError(
                f"rank {ranks.rank} of {ranks.world_size} does not reach the others: {exc}",
                hint="start the processes with torchrun, or with `vall-e train --processes`",
            ) from exc
        self.store = PrefixStore(f"vall-e/exchanges/{ranks.restarts}", store)
        self.exchanges = 0

    def gather(self, value: T) -> list[T]:
        """The value of each rank. Small values only: they are pickled."""
        self.exchanges += 1
        self.store.set(str(self.ranks.rank), str(self.exchanges))
        values = [value] * self.ranks.world_size
        with self.naming_lost_ranks():
            dist.all_gather_object(values, value)
        return values

    @contextlib.contextmanager
    def naming_lost_ranks(self) -> Iterator[None]:
        """Within this context, the failure of another process is a `TrainingError`."""
        try:
            yield
        except RuntimeError as exc:
            if not any(word in str(exc) for word in LOST):
                raise
            raise TrainingError(
                f"{self._behind()} does not answer: {str(exc).splitlines()[0]}",
                hint="see what that rank printed, then continue with --resume",
            ) from exc

    def _behind(self) -> str:
        """The ranks that did not come to the latest exchange, as far as is known."""
        others = [rank for rank in range(self.ranks.world_size) if rank != self.ranks.rank]
        try:
            late = [rank for rank in others if self._exchanges_of(rank) < self.exchanges]
        except RuntimeError:  # the store was in the process that is gone
            late = [] if self.ranks.rank == 0 else [0]
        late = late or (others if len(others) == 1 else [])
        return f"rank {', '.join(map(str, late))}" if late else "another rank"

    def _exchanges_of(self, rank: int) -> int:
        return int(self.store.get(str(rank))) if self.store.check([str(rank)]) else 0

    def close(self) -> None:
        """Leave the group. Nothing of it is used afterwards."""
        # Gloo's thread needs Python's lock once more to release the last exchange. Whoever drops
        # the model next holds that lock, and would wait for the thread forever.
        time.sleep(SETTLE_SECONDS)
        if dist.is_initialized():
            dist.destroy_process_group()
