"""The training loop: one for every engine, optimizer and model."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import torch
from attrs import frozen
from torch import Tensor

from vall_e.config.load import unstructure
from vall_e.data.batching.loader import Batch
from vall_e.errors import CheckpointError, TrainingError
from vall_e.interfaces.tracker import TrackedRun
from vall_e.model.valle import Valle
from vall_e.training.best import BEST, BestSoFar
from vall_e.training.checkpoint import is_saved, save_checkpoint, save_weights
from vall_e.training.commands import Commands, RunCommand
from vall_e.training.inference_weights import inference_weights
from vall_e.training.metrics import (
    Metrics,
    MetricsFile,
    WeightedSums,
    added,
    means_of,
    window_sums,
)
from vall_e.training.objective import lengths_of
from vall_e.training.out_of_memory import BatchTooLargeError, is_out_of_memory, smaller
from vall_e.training.run import Run, RunCallbacks
from vall_e.training.samples import clips_in
from vall_e.training.tracking import Tracking
from vall_e.training.validation import evaluate_sets
from vall_e.weights.locate import WEIGHTS

SAMPLES = "samples"

log = logging.getLogger(__name__)


def train(run: Run, commands: Commands, watch: RunCallbacks) -> None:
    """Train until `max_steps`, or a stop command; a checkpoint is written at the end."""
    try:
        with _metrics_file(run) as write:
            _train(run, commands, write, watch)
        if run.progress.step and _unsaved(run):
            watch.on_file(save_checkpoint(run))
    finally:
        run.engine.close()


def evaluate_only(run: Run, watch: RunCallbacks) -> Metrics:
    """Validate, and speak samples, without training; the results are written to the metrics."""
    try:
        found = validate(run) | _samples(run)
        if not found:
            raise TrainingError(
                "there is nothing to evaluate",
                hint="list datasets in data.validation, or set training.samples.count",
            )
        with _metrics_file(run) as write:
            write(found)
        watch.on_validation(found)
        return found
    finally:
        run.engine.close()


def _train(
    run: Run, commands: Commands, write: Callable[[Metrics], None], watch: RunCallbacks
) -> None:
    batches = iter(run.loader)
    lost = LostSteps()
    run.objective.train()
    if run.progress.step == 0 and run.config.max_steps:
        _validate(run, commands, write, watch)
    while run.progress.step < run.config.max_steps and not _stopped(run, commands):
        metrics = _update_or_save(run, batches, lost)
        write(metrics)
        watch.on_step(metrics)
        _after_step(run, commands, write, watch)


@contextmanager
def _metrics_file(run: Run) -> Iterator[Callable[[Metrics], None]]:
    """Writes metrics to the run's file and to its trackers, on the first rank."""
    if run.engine.rank:
        yield lambda metrics: None
        return
    tracked = TrackedRun(run.folder, run.progress.step, unstructure(run.bundle.config))
    tracking = Tracking.of(run.config.trackers, tracked)
    try:
        with MetricsFile(run.folder, step=run.progress.step) as file:

            def write(metrics: Metrics) -> None:
                file.write(metrics)
                tracking.log(metrics)
                if "loss" not in metrics:  # it is of a validation
                    tracking.log_audio(run.progress.step, clips_in(_samples_folder(run)))

            yield write
    finally:
        tracking.close()


def _stopped(run: Run, commands: Commands) -> bool:
    """Whether the run was stopped on any rank. All ranks stop after the same step."""
    reasons = run.engine.gather(commands.stopped_by)
    for rank, reason in enumerate(reasons):
        if reason and not commands.stopped_by:
            commands.stop(f"{reason} on rank {rank}")
    return any(reasons)


class LostSteps:
    """Counts consecutive steps that changed nothing because fp16 gradients overflowed."""

    LIMIT = 50
    """A healthy run loses about 10 steps at the start, until the loss scale has come down."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, norm: float) -> None:
        """Take a step's gradient norm; `TrainingError` if too many were not finite."""
        self.count = 0 if math.isfinite(norm) else self.count + 1
        if self.count == self.LIMIT:
            raise TrainingError(
                f"the gradients of {self.count} consecutive steps were not finite in fp16",
                hint="set training.precision to bf16 or fp32, or lower the optimizer's lr",
            )


def _update_or_save(run: Run, batches: Iterator[Batch], lost: LostSteps) -> Metrics:
    """As `update`; if it fails, a checkpoint of the last good state is saved."""
    try:
        metrics = update(run, batches)
        lost(metrics["grad_norm"])
        return metrics
    except BaseException:
        # Only all ranks together could collect a sharded model, and one of them has failed.
        alone = not run.engine.rank and not run.engine.sharded
        if alone and run.progress.step and not is_saved(run):
            log.warning("kept %s", save_checkpoint(run))
        raise


def update(run: Run, batches: Iterator[Batch]) -> Metrics:
    """One optimizer step, over `accumulation` batches; returns its metrics.

    Raises `TrainingError`, with the utterances' ids, if loss or gradients are not finite; the
    weights are then those of the step before.
    """
    started = time.perf_counter()
    progress, config = run.progress, run.config
    run.rate.set(progress.step)
    taken, sums = _gradients(run, [next(batches) for _ in range(config.accumulation)])
    norm = run.engine.step(clip_norm=config.clip_norm)
    if not math.isfinite(norm) and config.precision != "fp16":
        raise _lost(f"the gradient norm is {norm}", run, taken)
    elapsed = time.perf_counter() - started
    work = run.engine.gather((sums, StepSize.of(run.bundle.model, taken)))
    size = StepSize.total([size for _, size in work])
    progress.step += 1
    progress.samples += size.samples
    progress.tokens += size.tokens
    progress.seconds += elapsed
    return {
        "step": progress.step,
        **means_of(added(sums for sums, _ in work)),
        "lr": run.rate.highest,
        "grad_norm": norm,
        "tokens_per_second": size.tokens / elapsed,
        **({"oom": progress.oom} if progress.oom else {}),
        "padding": 1 - size.tokens / size.positions,
        "seconds": progress.seconds,
        "samples": progress.samples,
        "tokens": progress.tokens,
        "epoch": run.loader.position.epoch,
    }


@frozen
class StepSize:
    """What the batches of a step hold: `positions` are those of the sequences with padding."""

    samples: int
    tokens: int
    positions: int

    @classmethod
    def of(cls, model: Valle, batches: Sequence[Batch]) -> StepSize:
        lengths = [lengths_of(model, batch.examples) for batch in batches]
        return cls(
            samples=sum(len(batch.ids) for batch in batches),
            tokens=sum(map(sum, lengths)),
            positions=sum(max(batch) * len(batch) for batch in lengths),
        )

    @classmethod
    def total(cls, sizes: Sequence[StepSize]) -> StepSize:
        return cls(*map(sum, zip(*map(attrs.astuple, sizes), strict=True)))


def _gradients(run: Run, window: list[Batch]) -> tuple[list[Batch], WeightedSums]:
    """The gradients of a step; returns its batches, smaller ones if memory was short, and sums."""
    while True:
        # The random state depends on the step only, so dropout is the same after resuming.
        number = run.progress.step * run.engine.world_size + run.engine.rank
        torch.manual_seed((run.config.seed << 32) + number)
        try:
            return window, _add_gradients(run, window)
        except BatchTooLargeError as exc:
            too_large = exc.number
        window = smaller(run, window, too_large)


def _add_gradients(run: Run, window: Sequence[Batch]) -> WeightedSums:
    """Run the batches forward and backward; returns the sums of each metric over them."""
    found: list[dict[str, float]] = []
    shares = _shares(run, window)
    for number, (batch, share) in enumerate(zip(window, shares, strict=True), start=1):
        try:
            with run.engine.accumulate(last=number == len(window)):
                found.append(_passes(run, batch, share))
        except (MemoryError, RuntimeError) as exc:
            if is_out_of_memory(exc):
                # Without the cause, whose frames would keep the memory in use.
                raise BatchTooLargeError(number - 1) from None
            raise
    return window_sums(found, shares)


def _passes(run: Run, batch: Batch, share: float) -> dict[str, float]:
    """One batch forward and backward; returns its metrics."""
    with run.engine.autocast():
        losses: dict[str, Tensor] = run.objective(batch.examples, step=run.progress.step)
    values = {name: float(value.detach()) for name, value in losses.items()}
    if not math.isfinite(values["loss"]):
        raise _lost(f"the loss is {values['loss']}", run, [batch])
    run.engine.backward(losses["loss"] * share)
    return values


def _shares(run: Run, batches: Sequence[Batch]) -> list[float]:
    """The weight of each batch in a step: in proportion to the tokens that it predicts.

    So every token of all ranks counts the same, and a step equals one large batch.
    """
    counts = [sum(map(run.bundle.model.predicted, batch.examples)) for batch in batches]
    total = sum(run.engine.gather(sum(counts)))
    return [count / total for count in counts]


def validate(run: Run) -> Metrics:
    """Losses on the validation sets; empty if there are none."""
    if not run.validation:
        return {}
    with inference_weights(run.bundle.model, run.optimizer):
        found = evaluate_sets(run.objective, run.validation, run.engine)
    run.progress.validation = found
    return {"step": run.progress.step, **found}


def _after_step(
    run: Run, commands: Commands, write: Callable[[Metrics], None], watch: RunCallbacks
) -> None:
    step, config = run.progress.step, run.config
    orders = [order for orders in run.engine.gather(commands.due(step)) for order in orders]
    asked = {order.name for order in orders}
    if step % config.evaluate_every == 0 or step == config.max_steps or "eval" in asked:
        found = _validate(run, commands, write, watch)
        if "eval" in asked and not found:
            log.warning("eval: there is no validation data; list some in data.validation")
    if step % config.save_every == 0 or "save" in asked:
        watch.on_file(save_checkpoint(run, by_hand="save" in asked))
    for order in orders:
        _carry_out(order, run, commands, watch)


def _validate(
    run: Run, commands: Commands, write: Callable[[Metrics], None], watch: RunCallbacks
) -> Metrics:
    """Validate; keep the weights if they are the best so far, stop if none have been for long."""
    found = validate(run)
    run.objective.train()
    found |= _samples(run)
    if not found:
        return found
    write(found)
    watch.on_validation(found)
    best = BestSoFar(**run.progress.best)
    if best.update(found, run.progress.step, run.config.best):
        save_weights(run, run.folder / BEST / WEIGHTS)
    run.progress.best = attrs.asdict(best)
    if run.config.early_stop and best.since >= run.config.early_stop:
        commands.stop(f"early stop, {best.since} validations after the best")
    return found


def _samples(run: Run) -> Metrics:
    """Figures of the samples that the first rank speaks now, on all ranks."""
    if run.samples is None:
        return {}
    found: Metrics = {}
    if run.engine.rank == 0:
        with inference_weights(run.bundle.model, run.optimizer):
            found = {"step": run.progress.step, **run.samples(run.bundle, _samples_folder(run))}
    return run.engine.gather(found)[0]


def _samples_folder(run: Run) -> Path:
    return run.folder / SAMPLES / f"step-{run.progress.step:06d}"


def _carry_out(order: RunCommand, run: Run, commands: Commands, watch: RunCallbacks) -> None:
    if order.name == "lr":
        run.rate.override(float(order.argument))
        log.info("learning rate %s, times the schedule, from the next step on", order.argument)
    elif order.name == "quit":
        commands.stop("quit")
    elif order.name == "export":
        path = run.folder / (order.argument or f"weights-{run.progress.step:06d}.safetensors")
        try:
            save_weights(run, path)
        except CheckpointError as exc:  # a mistyped path must not end the run
            log.error("export: %s", exc.message)
        else:
            watch.on_file(path)


def _unsaved(run: Run) -> bool:
    """As the first rank finds it, since it writes: the others may look too early."""
    return not run.engine.gather(is_saved(run))[0]


def _lost(what: str, run: Run, batches: Sequence[Batch]) -> TrainingError:
    ids = [identity for batch in batches for identity in batch.ids]
    return TrainingError(
        f"{what} in step {run.progress.step + 1}; utterances in the batch: {', '.join(ids)}",
        hint="check these recordings or lower the optimizer's lr, then continue with --resume",
    )
