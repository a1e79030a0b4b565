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
from vall_e.decoding.model_pair import Stage, require_level_0, require_pair
from vall_e.errors import CheckpointError, ConfigError
from vall_e.file_hash import sha256_of
from vall_e.interfaces.codec import Codec
from vall_e.interfaces.task import Task
from vall_e.model.wrappers.apply import wrapped
from vall_e.model.wrappers.reduced_precision import reduce
from vall_e.registry import Preset, Registry
from vall_e.text.front_end import FrontEnd
from vall_e.weights.contents import as_told
from vall_e.weights.file import Bundle, load

EMBEDDED = "embedded"
"""The model that is taken if none is named."""
SUFFIXES = (".safetensors", ".sft", ".pth")
"""Of files with weights."""
FIXED = ("model", "tasks", "training", "data", "text.languages")
"""What cannot be changed after training,"""
FREE = ("model.attention",)
"""but for what computes the same in another way."""

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
    length: Task | None
    """What says how long a sentence is, if the model has learnt it."""
    identity: Mapping[str, Any]
    """Hashes and versions, for the provenance of results."""
    refining: Stage | None = None
    """Another model, which writes the levels after the first."""

    @classmethod
    def of(
        cls, bundle: Bundle, codec: Codec, *, task: str | None = None, nar: Bundle | None = None
    ) -> Parts:
        """Of a model in memory. Raises `CheckpointError` if it cannot speak, with this codec.

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
    """Training can do without, speaking frame by frame cannot."""
    model = bundle.config.model
    if "ar" in model.capabilities and not bundle.model.backbone.caches:
        raise CheckpointError(
            f"the backbone {model.backbone.name} has no cache, so it cannot speak frame by frame",
            hint="train a model whose backbone has one: `caches` says so",
        )


def gather(
    model: Path | str | None,
    registry: Registry,
    *,
    config: RunConfig | None = None,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    task: str | None = None,
    nar: Path | str | None = None,
    paired: bool = True,
) -> Parts:
    """Load weights: a file, or the name of an installed model; None is the embedded one.

    `nar` names further weights, for the levels after the first, by default those of
    `synthesis.nar`; the codec is then theirs, and all other options are those of the first. Not
    `paired`: those that the first weights bring along by themselves do not count.

    `config` replaces the options that are not fixed by the weights; `overrides` are those of
    `--set`, and count last.
    """
    _refuse_fixed(overrides)
    if task is not None:
        registry.get("task", task)  # a name that is nobody's is told before anything is loaded

    def opened(path: Path) -> Bundle:
        def changed(saved: RunConfig) -> RunConfig:
            if not paired:
                saved = evolve(saved, synthesis=evolve(saved.synthesis, nar=""))
            options = _merged(saved, config) if config else saved
            source = f"config in {path}"
            return change(options, registry, overrides=overrides, environ=environ, source=source)

        bundle = load(path, registry, change=changed)
        synthesis = bundle.config.synthesis
        reduce(bundle.model, synthesis.weights)
        speaking = wrapped(
            bundle.model, synthesis.wrappers, option="synthesis.wrappers", learning=False
        )
        return evolve(bundle, model=speaking.eval())

    path = find_model(model, registry)
    bundle = opened(path)
    named = _beside(path, bundle.config.synthesis.nar) if nar is None else nar
    later = find_model(named, registry) if named else None
    second = opened(later) if later else None
    codec = (second or bundle).config.codec.build()
    parts = Parts.of(bundle, codec, task=task, nar=second)
    files = {"model": _model(path), **({"nar": _model(later)} if later else {})}
    return evolve(parts, identity={**files, **parts.identity})


def _beside(weights: Path, name: str) -> Path | str:
    """A file that weights name is in their own folder: saved options have no folders."""
    for path in (weights.parent / name, Path(name)):
        if name and path.is_file():
            return path
    # With a folder it is the user's own path: what was saved has none.
    if not name.endswith(SUFFIXES) or Path(name).parent != Path():
        return name
    raise CheckpointError(
        f"{weights} names {name} for the levels after the first, which does not lie beside it",
        hint="put it there, name another with --nar, or do without: --set \"synthesis.nar=''\"",
    )


def find_model(model: Path | str | None, registry: Registry) -> Path:
    """The weights file that a path or a name means."""
    if model is not None and Path(model).is_file():
        return Path(model)
    name = Preset(EMBEDDED) if model is None else str(model)
    if isinstance(model, Path) or "/" in name or name.endswith(SUFFIXES):
        raise CheckpointError(
            f"there is no weights file {name}", hint="check the path, or name an installed model"
        )
    component = registry.get("model", name)
    path: Path = component.build(component.config())
    return path


def _refuse_fixed(overrides: Sequence[str]) -> None:
    for override in overrides:
        key = override.partition("=")[0].strip()
        if _within(key, FIXED) and not _within(key, FREE):
            raise ConfigError(
                f"--set {key}: this is fixed by the weights, or of no use when speaking",
                hint="set options of sampling, synthesis, text or codec",
            )


def _within(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _task(config: RunConfig, name: str | None) -> Task:
    tasks = {choice.component.name: choice for choice in config.tasks}
    if name is not None and name not in tasks:
        raise CheckpointError(
            f"this model was not trained for the task {name!r}",
            hint=f"it knows {', '.join(tasks)}; to train one that does: tasks: [tts, {name}]",
        )
    return tasks[name or next(iter(tasks))].build()


def _merged(trained: RunConfig, given: RunConfig) -> RunConfig:
    if unstructure(given.model, owners=True) != unstructure(trained.model, owners=True):
        log.warning("the config's `model` differs from that of the weights, which counts")
    return evolve(
        trained,
        codec=given.codec,
        text=evolve(given.text, languages=trained.text.languages),
        sampling=given.sampling,
        # Which weights belong together is no matter of taste.
        synthesis=evolve(given.synthesis, nar=given.synthesis.nar or trained.synthesis.nar),
    )


def _model(path: Path) -> dict[str, str]:
    return {"file": path.name, "sha256": sha256_of(path)}


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
