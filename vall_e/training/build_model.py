"""The model that a run trains, as it is before the first step."""

from __future__ import annotations

import json
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
from vall_e.training.freeze import freeze
from vall_e.training.initial_weights import InitialWeights
from vall_e.training.wrappers.state import base_of, take_up
from vall_e.weights.file import read_metadata

log = logging.getLogger(__name__)


def make_learner(
    config: RunConfig, info: Info, vocabulary: Vocabulary, origin: InitialWeights
) -> Valle:
    """With the weights of its origin, its wrappers around it, and frozen what is to stay.

    `info` tells of the codes that it learns. Raises `CheckpointError` for weights that do not fit.
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
        take_up(model, tensors)
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
            known = base_of(tensors)  # half precision becomes single on the way
            model.load_state_dict({**_of_new_tasks(model, origin.weights), **known})
        except RuntimeError as exc:
            raise CheckpointError(
                f"{origin.weights} does not fit the config: {exc}",
                hint="take the model section and the data that it was trained with",
            ) from exc
    return model


def _of_new_tasks(model: Valle, weights: Path) -> dict[str, Tensor]:
    """What the model has beside that of `weights`, since it is to learn more tasks: as drawn."""
    sizes = json.loads(read_metadata(weights)["sizes"])
    known = tuple(f"embedding.markers.{name}." for name in sizes.get("markers", ()))
    new = ["embedding.markers."] + (["heads.text."] if not sizes.get("writes_text") else [])
    new += [f"{part}.{kind}." for part in ("embedding", "heads") for kind in ("masked", "length")]
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name.startswith(tuple(new)) and not name.startswith(known)
    }
