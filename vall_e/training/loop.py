"""The training loop: one for every engine, optimizer and model."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from attrs import define, frozen
from torch import Tensor, nn

from vall_e.config.training import TrainingConfig
from vall_e.data.batching.batch_sampler import Position
from vall_e.data.batching.loader import Batch, Loader
from vall_e.errors import CheckpointError, TrainingError
from vall_e.interfaces.training import Engine
from vall_e.model.valle import Valle
from vall_e.training.best import BEST, BestSoFar
from vall_e.training.checkpoint import (
    TrainingState,
    group_options,
    pack_optimizer,
    prune,
    take_changed_options,
    unpack_optimizer,
    write_checkpoint,
)
from vall_e.training.commands import Commands, RunCommand
from vall_e.training.inference_weights import inference_weights, restore_training_weights
from vall_e.training.learning_rate import Rate
from vall_e.training.metrics import Metrics, MetricsFile, window_means
from vall_e.training.objective import lengths_of
from vall_e.training.validation import ValidationBatch, evaluate_sets
from vall_e.weights.file import Bundle, save
from vall_e.weights.locate import WEIGHTS, checkpoints

LEARNT = "learnt/"
"""Prefix of tensors that are not those of the weights file."""

log = logging.getLogger(__name__)


@define
class RunProgress:
    """How far a run has come, including before it was resumed. `tokens` are sequence positions."""

    step: int = 0
    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Time spent in training steps."""
    validation: dict[str, float] = attrs.field(factory=dict)
    """Results of the last validation."""
    best: dict[str, Any] = attrs.field(factory=dict)
    """The fields of `BestSoFar`; empty before the first validation."""


@frozen
class Marks:
    """Identify a corpus, and a batch order: a saved position is valid only for the same ones."""

    corpus: str
    batches: str


@frozen(eq=False)
class Run:
    """Everything that a training step needs. `objective` is the model as the engine wrapped it."""

    folder: Path
    config: TrainingConfig
    bundle: Bundle
    objective: nn.Module
    engine: Engine
    optimizer: torch.optim.Optimizer
    rate: Rate
    loader: Loader
    validation: Mapping[str, Sequence[ValidationBatch]]
    marks: Marks
    progress: RunProgress = attrs.field(factory=RunProgress)
    options: Sequence[dict[str, Any]] = attrs.field(
        default=attrs.Factory(lambda self: group_options(self.optimizer), takes_self=True)
    )
    """The options of the optimizer's parameter groups, from the config."""


@frozen
class RunCallbacks:
    """Callbacks of a run."""

    on_step: Callable[[Metrics], None] = lambda metrics: None
    on_validation: Callable[[Metrics], None] = lambda metrics: None
    on_file: Callable[[Path], None] = lambda path: None


def train(run: Run, commands: Commands, watch: RunCallbacks) -> None:
    """Train until `max_steps`, or a stop command; a checkpoint is written at the end."""
    batches = iter(run.loader)
    lost = LostSteps()
    run.objective.train()
    with MetricsFile(run.folder, step=run.progress.step) as file:
        if run.progress.step == 0 and run.config.max_steps:
            _validate(run, commands, file, watch)
        while run.progress.step < run.config.max_steps and not commands.stopped_by:
            metrics = _update_or_save(run, batches, lost)
            file.write(metrics)
            watch.on_step(metrics)
            _after_step(run, commands, file, watch)
    if run.progress.step and _unsaved(run):
        watch.on_file(save_checkpoint(run))


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
        if run.progress.step and _unsaved(run):
            log.warning("kept %s", save_checkpoint(run))
        raise


def update(run: Run, batches: Iterator[Batch]) -> Metrics:
    """One optimizer step, over `accumulation` batches; returns its metrics.

    Raises `TrainingError`, with the utterances' ids, if loss or gradients are not finite; the
    weights are then those of the step before.
    """
    started = time.perf_counter()
    progress, config = run.progress, run.config
    # The random state depends on the step only, so dropout is the same after resuming.
    torch.manual_seed((config.seed << 32) + progress.step * run.engine.world_size + run.engine.rank)
    run.rate.set(progress.step)
    taken = [next(batches) for _ in range(config.accumulation)]
    means = _add_gradients(run, taken)
    norm = run.engine.step(clip_norm=config.clip_norm)
    if not math.isfinite(norm) and config.precision != "fp16":
        raise _lost(f"the gradient norm is {norm}", run, taken)
    elapsed = time.perf_counter() - started
    lengths = [lengths_of(run.bundle.model, batch.examples) for batch in taken]
    tokens = sum(map(sum, lengths))
    progress.step += 1
    progress.samples += sum(len(batch.ids) for batch in taken)
    progress.tokens += tokens
    progress.seconds += elapsed
    return {
        "step": progress.step,
        **means,
        "lr": run.rate.highest,
        "grad_norm": norm,
        "tokens_per_second": tokens / elapsed,
        "padding": 1 - tokens / sum(max(batch) * len(batch) for batch in lengths),
        "seconds": progress.seconds,
        "samples": progress.samples,
        "tokens": progress.tokens,
        "epoch": run.loader.position.epoch,
    }


def _add_gradients(run: Run, window: Sequence[Batch]) -> dict[str, float]:
    """Run the batches forward and backward; returns the mean of each metric over all of them."""
    found: list[dict[str, float]] = []
    shares = _shares(run.bundle.model, window)
    for number, (batch, share) in enumerate(zip(window, shares, strict=True), start=1):
        with run.engine.autocast():
            losses: dict[str, Tensor] = run.objective(batch.examples, step=run.progress.step)
        values = {name: float(value.detach()) for name, value in losses.items()}
        if not math.isfinite(values["loss"]):
            raise _lost(f"the loss is {values['loss']}", run, [batch])
        found.append(values)
        run.engine.backward(losses["loss"] * share, last=number == len(window))
    return window_means(found, shares)


def _shares(model: Valle, batches: Sequence[Batch]) -> list[float]:
    """The weight of each batch in a window: in proportion to the tokens that it predicts.

    So every token counts the same, and a window equals one large batch.
    """
    counts = [sum(map(model.predicted, batch.examples)) for batch in batches]
    return [count / sum(counts) for count in counts]


def validate(run: Run) -> Metrics:
    """Losses on the validation sets; empty if there are none."""
    if not run.validation:
        return {}
    with inference_weights(run.bundle.model, run.optimizer):
        found = evaluate_sets(run.bundle.model, run.validation, run.engine)
    run.progress.validation = found
    return {"step": run.progress.step, **found}


def save_checkpoint(run: Run, *, by_hand: bool = False) -> Path:
    """Write the state of the run, and delete old checkpoints beyond `keep`."""
    tensors, optimizer = pack_optimizer(run.optimizer)
    engine = {f"engine/{name}": value.cpu() for name, value in run.engine.state_dict().items()}
    facts: dict[str, Any] = {
        "progress": attrs.asdict(run.progress),
        "position": attrs.asdict(run.loader.position),
        "data": run.marks.batches,
        "corpus": run.marks.corpus,
        "rate": run.rate.factor,
        "optimizer": optimizer,
        "options": run.options,
    }
    step = run.progress.step
    with inference_weights(run.bundle.model, run.optimizer) as learnt:
        weights = {f"{LEARNT}{name}": tensor.cpu() for name, tensor in learnt.items()}
        state = TrainingState(facts, {**tensors, **engine, **weights})
        folder = write_checkpoint(run.folder, step, finished(run), state, by_hand=by_hand)
    prune(run.folder, run.config.keep, spare=folder)
    return folder


def restore(run: Run, state: TrainingState) -> None:
    """Restore everything except the weights to what `save_checkpoint` saved."""
    facts = state.facts
    unpack_optimizer(run.optimizer, state.tensors, facts["optimizer"])
    before = facts.get("options", run.options)
    take_changed_options(run.optimizer, before=before, now=run.options)
    engine = {
        key.removeprefix("engine/"): value
        for key, value in state.tensors.items()
        if key.startswith("engine/")
    }
    run.engine.load_state_dict(engine)
    learnt = {k.removeprefix(LEARNT): v for k, v in state.tensors.items() if k.startswith(LEARNT)}
    restore_training_weights(run.bundle.model, learnt)
    run.rate.factor = facts["rate"]
    for field in attrs.fields(RunProgress):
        if field.name in facts["progress"]:  # an older version may lack some
            setattr(run.progress, field.name, facts["progress"][field.name])
    position = Position(**facts["position"])
    if facts["data"] != run.marks.batches:
        what = (
            "batches are formed differently than before"
            if facts.get("corpus") == run.marks.corpus
            else "the data has changed since the checkpoint"
        )
        log.warning("%s: a new epoch starts", what)
        position = Position(position.epoch + 1, 0)
    run.loader.position = position


def finished(run: Run) -> Bundle:
    """The bundle with the statistics of its training so far."""
    statistics = {
        "steps": run.progress.step,
        "samples": run.progress.samples,
        "tokens": run.progress.tokens,
        "seconds": round(run.progress.seconds, 1),
        **run.progress.validation,
    }
    return attrs.evolve(run.bundle, statistics=statistics)


def _after_step(run: Run, commands: Commands, file: MetricsFile, watch: RunCallbacks) -> None:
    step, config = run.progress.step, run.config
    orders = commands.due(step)
    asked = {order.name for order in orders}
    if step % config.evaluate_every == 0 or step == config.max_steps or "eval" in asked:
        found = _validate(run, commands, file, watch)
        if "eval" in asked and not found:
            log.warning("eval: there is no validation data; list some in data.validation")
    if step % config.save_every == 0 or "save" in asked:
        watch.on_file(save_checkpoint(run, by_hand="save" in asked))
    for order in orders:
        _carry_out(order, run, commands, watch)


def _validate(run: Run, commands: Commands, file: MetricsFile, watch: RunCallbacks) -> Metrics:
    """Validate; keep the weights if they are the best so far, stop if none have been for long."""
    found = validate(run)
    run.objective.train()
    if not found:
        return found
    file.write(found)
    watch.on_validation(found)
    best = BestSoFar(**run.progress.best)
    if best.update(found, run.progress.step):
        with inference_weights(run.bundle.model, run.optimizer):
            save(finished(run), run.folder / BEST / WEIGHTS)
    run.progress.best = attrs.asdict(best)
    if run.config.early_stop and best.since >= run.config.early_stop:
        commands.stop(f"early stop, {best.since} validations after the best")
    return found


def _carry_out(order: RunCommand, run: Run, commands: Commands, watch: RunCallbacks) -> None:
    if order.name == "lr":
        run.rate.override(float(order.argument))
        log.info("learning rate %s, times the schedule, from the next step on", order.argument)
    elif order.name == "quit":
        commands.stop("quit")
    elif order.name == "export":
        path = run.folder / (order.argument or f"weights-{run.progress.step:06d}.safetensors")
        try:
            with inference_weights(run.bundle.model, run.optimizer):
                save(finished(run), path)
        except CheckpointError as exc:  # a mistyped path must not end the run
            log.error("export: %s", exc.message)
        else:
            watch.on_file(path)


def _unsaved(run: Run) -> bool:
    name = f"step-{run.progress.step:06d}"
    return all(folder.name != name for folder in checkpoints(run.folder))


def _lost(what: str, run: Run, batches: Sequence[Batch]) -> TrainingError:
    ids = [identity for batch in batches for identity in batch.ids]
    return TrainingError(
        f"{what} in step {run.progress.step + 1}; utterances in the batch: {', '.join(ids)}",
        hint="check these recordings or lower the optimizer's lr, then continue with --resume",
    )
