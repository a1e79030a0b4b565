"""From a config to a run that is ready to start or resume."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import torch

from vall_e.config.schema import RunConfig
from vall_e.data.batching.build_loader import loader_of, mark_of
from vall_e.data.batching.corpus import Corpus
from vall_e.data.batching.training_data import TrainingData
from vall_e.discovery import discover
from vall_e.errors import TrainingError
from vall_e.interfaces.training import Engine
from vall_e.model.layer_skip import layer_skip_of
from vall_e.model.valle import Valle
from vall_e.registry import Registry
from vall_e.training.build_model import make_learner
from vall_e.training.checkpoint import read_state, restore, resuming_from
from vall_e.training.dry_run import dry_run
from vall_e.training.held_out import held_out, validation_batches
from vall_e.training.initial_weights import InitialWeights
from vall_e.training.learning_rate import Rate
from vall_e.training.objective import Objective
from vall_e.training.ranks import Ranks
from vall_e.training.run import Marks, Run
from vall_e.training.samples import SampleSpeaker
from vall_e.weights.file import Bundle

log = logging.getLogger(__name__)


def open_run(
    config: RunConfig,
    folder: Path,
    *,
    resume: bool = False,
    overfit: int | None = None,
    registry: Registry | None = None,
) -> Run:
    """Data, model, optimizer and engine of a run whose checkpoints go to `folder`.

    With `resume` it continues from its latest checkpoint, if there is one. With `overfit` it uses
    only this many utterances and no validation. Paths in the config are relative to the working
    directory. `registry` knows the dataset stores and the models that `training.start_from` can
    name; by default the installed ones.
    """
    registry = registry or discover()
    origin = InitialWeights.of(folder, config, registry, resume=resume)
    if config.training.threads:
        torch.set_num_threads(config.training.threads)
    data = TrainingData.open(config, registry, origin.weights, limit=overfit)
    origin.require_fit(config, data.corpus.info)
    model = make_learner(config, data.corpus.info, data.vocabulary, origin)
    engine = config.training.engine.build()
    optimizer = config.training.optimizer.build(model.named_parameters())
    objective = engine.prepare(
        _objective(model, config),
        optimizer,
        device=config.training.device,
        precision=config.training.precision,
    )
    _require_all_processes(engine, config)
    dry_run(model, engine)
    log.info("device %s, precision %s", engine.device, config.training.precision)
    schedule = config.training.schedule.build(max_steps=config.training.max_steps)
    loader = loader_of(
        data.corpus,
        config,
        registry,
        folders=data.folders,
        rank=engine.rank,
        world_size=engine.world_size,
    )
    noises = loader.maker.materials.noises
    kept_out = {} if overfit else held_out(data, config, registry)
    run = Run(
        folder=folder,
        config=config.training,
        bundle=Bundle(model, config, data.vocabulary, data.corpus.info.codec, {}),
        objective=objective,
        engine=engine,
        optimizer=optimizer,
        rate=Rate(optimizer, schedule),
        loader=loader,
        validation=validation_batches(kept_out, data, config, registry),
        marks=Marks(mark_of(data.corpus), mark_of(data.corpus, config.data, noises)),
        samples=_samples(config, data.corpus, kept_out, engine, registry),
    )
    if origin.checkpoint:
        state = read_state(origin.checkpoint)
        with resuming_from(origin.checkpoint):
            restore(run, state)
    return run


def _require_all_processes(engine: Engine, config: RunConfig) -> None:
    """Otherwise each process would train a run of its own into the same folder."""
    started = Ranks.of(os.environ).world_size
    if engine.world_size != started:
        raise TrainingError(
            f"{started} processes were started, but the engine "
            f"{config.training.engine.name!r} trains with {engine.world_size}",
            hint="set training.engine to local, or start one process",
        )


def _samples(
    config: RunConfig,
    trained: Corpus,
    kept_out: Mapping[str, Corpus],
    engine: Engine,
    registry: Registry,
) -> SampleSpeaker | None:
    samples = config.training.samples
    if samples.count and engine.sharded:
        raise TrainingError(
            "a sharded model cannot speak during training: no process has all of it",
            hint="set training.samples.count to 0, or training.engine.shard to none",
        )
    return (
        SampleSpeaker.of(samples, trained, list(kept_out.values()), config.codec.build(), registry)
        if samples.count
        else None
    )


def _objective(model: Valle, config: RunConfig) -> Objective:
    training = config.training
    layer_skip = layer_skip_of(
        training.layer_skip,
        model.backbone,
        name=config.model.backbone.name,
        max_steps=training.max_steps,
    )
    return Objective(model, training, layer_skip=layer_skip)
