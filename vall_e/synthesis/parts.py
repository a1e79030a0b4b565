"""What a synthesizer is made of, found and checked: weights, options, codec, text front end."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from attrs import evolve, frozen

from vall_e.config.load import change, unstructure
from vall_e.config.schema import RunConfig
from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces import Codec, Task
from vall_e.model.weights import Bundle, load
from vall_e.registry import Registry
from vall_e.text.front_end import FrontEnd

EMBEDDED = "embedded"
"""The model that is taken if none is named."""
FIXED = ("model", "tasks", "training", "data", "text.languages")
"""What cannot be changed after training."""

log = logging.getLogger(__name__)


@frozen(eq=False)
class Parts:
    """A model that can speak, with the options it speaks with."""

    bundle: Bundle
    config: RunConfig
    """The weights' own, as far as it was not changed for this use."""
    codec: Codec
    front_end: FrontEnd
    task: Task
    identity: Mapping[str, Any]
    """Hashes and versions, for the provenance of results."""

    @classmethod
    def of(cls, bundle: Bundle, codec: Codec, *, config: RunConfig | None = None) -> Parts:
        """Of a model in memory. Raises `CheckpointError` if the codec is not the model's."""
        config = config or bundle.config
        if codec.identity != bundle.codec:
            raise CheckpointError(
                f"the model writes codes of {bundle.codec}, the codec here is {codec.identity}",
                hint="set codec to the one that the model was trained with",
            )
        return cls(
            bundle,
            config,
            codec,
            FrontEnd.of(config.text, bundle.vocabulary),
            config.tasks[0].build(),
            _versions(config, codec),
        )


def gather(
    model: Path | str | None,
    registry: Registry,
    *,
    config: RunConfig | None = None,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Parts:
    """Load weights: a file, or the name of an installed model; None is the embedded one.

    `config` replaces the options that are not fixed by the weights; `overrides` are those of
    `--set`, and count last.
    """
    _refuse_fixed(overrides)
    path = find_model(model, registry)
    bundle = load(path, registry)
    options = _merged(bundle.config, config) if config else bundle.config
    options = change(
        options, registry, overrides=overrides, environ=environ, source=f"config in {path}"
    )
    parts = Parts.of(bundle, options.codec.build(), config=options)
    return evolve(parts, identity={"model": _model(path), **parts.identity})


def find_model(model: Path | str | None, registry: Registry) -> Path:
    """The weights file that a path or a name means."""
    if model is not None and Path(model).is_file():
        return Path(model)
    name = EMBEDDED if model is None else str(model)
    if isinstance(model, Path) or "/" in name or name.endswith(".safetensors"):
        raise CheckpointError(
            f"there is no weights file {name}", hint="check the path, or name an installed model"
        )
    component = registry.get("model", name)
    path: Path = component.build(component.config())
    return path


def _refuse_fixed(overrides: Sequence[str]) -> None:
    for override in overrides:
        key = override.partition("=")[0].strip()
        if any(key == fixed or key.startswith(f"{fixed}.") for fixed in FIXED):
            raise ConfigError(
                f"--set {key}: this is fixed by the weights, or of no use when speaking",
                hint="set options of sampling, synthesis, text or codec",
            )


def _merged(trained: RunConfig, given: RunConfig) -> RunConfig:
    if unstructure(given.model) != unstructure(trained.model):
        log.warning("the config's `model` differs from that of the weights, which counts")
    return evolve(
        trained,
        codec=given.codec,
        text=evolve(given.text, languages=trained.text.languages),
        sampling=given.sampling,
        synthesis=given.synthesis,
    )


def _model(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {"file": path.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _versions(config: RunConfig, codec: Codec) -> dict[str, Any]:
    plain = json.dumps(unstructure(config), sort_keys=True).encode()
    return {
        "config": hashlib.sha256(plain).hexdigest(),
        "codec": codec.identity,
        "versions": {
            "vall-e": metadata.version("vall-e"),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
