"""The contents of a weights file, in any layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from torch import Tensor

from vall_e.config.schema import RunConfig
from vall_e.model.embedding import ModelSizes
from vall_e.text.vocabulary import Vocabulary
from vall_e.weights.ecker_names import TensorNames


@frozen(eq=False)
class Kept:
    """What a file of e-c-k-e-r/vall-e contains that has no counterpart here.

    It is saved with the model, so that `vall-e export --to ecker` can write it back.
    """

    facts: Mapping[str, Any]
    """The file's metadata: config, userdata, stats."""
    tensors: Mapping[str, Tensor]
    """By their names there. For tables that are partly ours: the rows after ours."""
    layout: TensorNames
    """The names of our tensors there."""


def as_told(identity: str, told: str) -> str:
    """A codec's identity as far as the file states it: files of e-c-k-e-r do not name weights."""
    name = identity.partition(":")[0]
    return name if told == name else identity


@frozen(eq=False)
class WeightsContents:
    """The parts of a model before it is built; tensors under our names."""

    config: RunConfig
    sizes: ModelSizes
    tensors: Mapping[str, Tensor]
    vocabulary: Vocabulary
    codec: str
    statistics: Mapping[str, float | int]
    kept: Kept | None = None
    lora: Mapping[str, Any] | None = None
    """Terms of the adapter among the tensors."""
