"""What becomes of a batch that does not fit into memory: `training.on_oom`."""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence

import attrs
import torch

from vall_e.data.batching.loader import Batch
from vall_e.errors import TrainingError
from vall_e.training.run import Run

CPU = "can't allocate memory"
"""What PyTorch says if the memory of the processor is used up."""

log = logging.getLogger(__name__)


class BatchTooLargeError(Exception):
    """The batch with this number did not fit into memory."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether PyTorch, or Python itself, ran out of memory."""
    if isinstance(exc, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(exc, RuntimeError) and CPU in str(exc)


def smaller(run: Run, window: Sequence[Batch], number: int) -> list[Batch]:
    """The batches of a step without the one that did not fit, or with its two halves instead.

    Gradients of this step are dropped: it starts again. Raises `TrainingError` if `training.on_oom`
    says so, with several processes, for a batch of one sample, and if nothing would be left.
    """
    batch = window[number]
    run.optimizer.zero_grad(set_to_none=True)
    gc.collect()
    if run.engine.device.type == "cuda":
        torch.cuda.empty_cache()
    what = f"step {run.progress.step + 1} ran out of memory at a batch of {_size(batch)}"
    if run.config.on_oom == "stop" or run.engine.world_size > 1:
        # The other processes wait for this one's gradients of the same number of batches.
        raise TrainingError(what, hint="lower data.batch_seconds, then continue with --resume")
    if run.config.on_oom == "skip" and len(window) > 1:
        parts = []
    elif run.config.on_oom == "split" and len(batch.examples) > 1:
        parts = halves(batch)
    else:
        raise TrainingError(
            f"{what}, and there is nothing smaller to try: {', '.join(batch.ids)}",
            hint="lower the upper limit of data.seconds, then continue with --resume",
        )
    run.progress.oom += 1
    log.warning("%s: %s (%d so far)", what, "split" if parts else "skipped", run.progress.oom)
    return [*window[:number], *parts, *window[number + 1 :]]


def halves(batch: Batch) -> list[Batch]:
    """Two batches with the first and the last half of the samples."""
    middle = len(batch.examples) // 2
    return [
        attrs.evolve(
            batch,
            examples=batch.examples[part],
            ids=batch.ids[part],
            seconds=batch.seconds * len(batch.ids[part]) / len(batch.ids),
        )
        for part in (slice(None, middle), slice(middle, None))
    ]


def _size(batch: Batch) -> str:
    return f"{len(batch.ids)} utterances, {batch.seconds:.1f} s"
