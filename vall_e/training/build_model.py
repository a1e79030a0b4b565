"""The model that a run trains, before the first step."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from vall_e.config.schema import RunConfig
from vall_e.errors import CheckpointError
from vall_e.interfaces.store import Info
from vall_e.model.code_embedding import vectors_of
from vall_e.model.embedding import ModelSizes
from vall_e.model.valle import Valle, build_valle
from vall_e.model.wrappers.apply import wrapped
from vall_e.text.vocabulary import Vocabulary
from vall_e.training.adapter_weights import base_of, load_adapters
from vall_e.training.freeze import freeze
from vall_e.training.initial_weights import InitialWeights
from vall_e.weights.metadata import read_facts

log = logging.getLogger(__name__)


def make_learner(
    config: RunConfig, info: Info, vocabulary: Vocabulary, origin: InitialWeights
) -> Valle:
    """With its initial weights loaded, wrapped by the wrappers, and with `training.frozen` applied.

    `info` describes the codes. Raises `CheckpointError` for weights that do not fit.
    """
    tensors = origin.tensors()
    model = wrapped(
        _model(config, info, vocabulary, origin, tensors),
        config.training.wrappers,
        option="training.wrappers",
        learning=True,
    )
    if frozen := freeze(model, config.training.frozen):
        log.info("frozen: %s", ", ".join(frozen))
    if origin.checkpoint:
        load_adapters(model, tensors)
    return model


def _model(
    config: RunConfig,
    info: Info,
    vocabulary: Vocabulary,
    origin: InitialWeights,
    tensors: Mapping[str, Tensor],
) -> Valle:
    kind, codec = config.model.code_vectors, config.codec
    vectors = vectors_of(kind, codec.build(), name=codec.name) if kind != "learnt" else None
    sizes = ModelSizes.of(
        levels=info.levels,
        codebook_size=info.codebook_size,
        vocabulary=len(vocabulary),
        languages=len(config.text.languages),
        tasks=[task.build() for task in config.tasks],
        code_width=0 if vectors is None else vectors.shape[-1],
    )
    torch.manual_seed(config.training.seed)
    model = build_valle(config.model, sizes)
    if vectors is not None:
        model.embedding.take_code_vectors(vectors)
    if origin.weights:
        try:
            known = base_of(tensors)  # converts half precision to single
            model.load_state_dict({**_of_new_tasks(model, origin.weights), **known})
        except RuntimeError as exc:
            raise CheckpointError(
                f"{origin.weights} does not fit the config: {exc}",
                hint="use the model section and the data that the weights were trained with",
            ) from exc
    return model


def _of_new_tasks(model: Valle, weights: Path) -> dict[str, Tensor]:
    """Parameters that the model has and `weights` lacks, because of new tasks: at random values."""
    sizes = read_facts(weights)["sizes"]
    known = tuple(f"embedding.markers.{name}." for name in sizes.get("markers", ()))
    new = ["embedding.markers."] + (["heads.text."] if not sizes.get("writes_text") else [])
    new += [f"{part}.{kind}." for part in ("embedding", "heads") for kind in ("masked", "length")]
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name.startswith(tuple(new)) and not name.startswith(known)
    }
