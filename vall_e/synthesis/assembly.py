"""The parts of a synthesizer, checked against each other: weights, options, codec, front end."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import torch
from attrs import frozen

from vall_e.config.load import unstructure
from vall_e.config.schema import RunConfig
from vall_e.decoding.model_pair import Stage, require_level_0, require_pair
from vall_e.errors import CheckpointError
from vall_e.interfaces.codec import Codec
from vall_e.interfaces.task import Task
from vall_e.text.front_end import FrontEnd
from vall_e.weights.contents import as_told
from vall_e.weights.file import Bundle


@frozen(eq=False)
class Parts:
    """A model that can speak, with the options it speaks with."""

    bundle: Bundle
    config: RunConfig
    """That of the weights, with the changes for this use."""
    codec: Codec
    front_end: FrontEnd
    task: Task
    length: Task | None
    """The task that predicts lengths, if the model was trained for it."""
    identity: Mapping[str, Any]
    """Hashes and versions, for the provenance of results."""
    refining: Stage | None = None
    """Another model, which writes the levels after the first."""

    @classmethod
    def of(
        cls, bundle: Bundle, codec: Codec, *, task: str | None = None, nar: Bundle | None = None
    ) -> Parts:
        """For a model in memory. Raises `CheckpointError` if it cannot speak with this codec.

        `task` is one of the config's tasks by name; None is the first. `nar` writes the levels
        after the first.
        """
        config = bundle.config
        if nar:
            require_pair(bundle, nar)
        require_level_0(bundle)
        _require_codec(nar or bundle, codec)
        _require_cache(bundle)
        chosen = _task(config, task)
        built = [choice.build() for choice in config.tasks]
        return cls(
            bundle,
            config,
            codec,
            FrontEnd.of(config.text, bundle.vocabulary),
            chosen,
            next((t for t in built if t.target == "length"), None),
            _versions(config, codec),
            Stage(nar.model, _task(nar.config, chosen.name)) if nar else None,
        )


def _require_codec(bundle: Bundle, codec: Codec) -> None:
    sizes = bundle.model.sizes
    ours = (bundle.codec, sizes.levels, sizes.codebook_size)
    found = (as_told(codec.identity, bundle.codec), codec.levels, codec.codebook_size)
    if ours != found:
        shape = "{} ({} levels of {})"
        raise CheckpointError(
            f"the model writes codes of {shape.format(*ours)}, "
            f"the codec here is {shape.format(*found)}",
            hint="set codec to the one that the model was trained with",
        )


def _require_cache(bundle: Bundle) -> None:
    """Speaking frame by frame needs a cache; training does not."""
    model = bundle.config.model
    if "ar" in model.capabilities and not bundle.model.backbone.caches:
        raise CheckpointError(
            f"the backbone {model.backbone.name} has no cache, so it cannot speak frame by frame",
            hint="train a model whose backbone has a cache (its property `caches` is true)",
        )


def _task(config: RunConfig, name: str | None) -> Task:
    tasks = {choice.component.name: choice for choice in config.tasks}
    if name is not None and name not in tasks:
        raise CheckpointError(
            f"this model was not trained for the task {name!r}",
            hint=f"it knows {', '.join(tasks)}; to train a model for it: tasks: [tts, {name}]",
        )
    return tasks[name or next(iter(tasks))].build()


def _versions(config: RunConfig, codec: Codec) -> dict[str, Any]:
    plain = json.dumps(unstructure(config, owners=True), sort_keys=True).encode()
    return {
        "config": hashlib.sha256(plain).hexdigest(),
        "codec": codec.identity,
        "versions": {
            "vall-e": metadata.version("vall-e"),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
