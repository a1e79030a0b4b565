"""Opens a synthesizer from what a user names: a model, a weights file, a training run, a YAML."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, field, frozen

from vall_e.config.load import change, unstructure
from vall_e.config.schema import RunConfig
from vall_e.discovery import discover
from vall_e.errors import CheckpointError, ConfigError
from vall_e.file_hash import sha256_of
from vall_e.model.wrappers.apply import wrapped
from vall_e.model.wrappers.reduced_precision import reduce
from vall_e.registry import Preset, Registry
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.loras import with_strength
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.synthesis.voice_library import Voices, platform_home
from vall_e.text.lexicon import lexicon_beside
from vall_e.weights import file as weights_file
from vall_e.weights.file import Bundle
from vall_e.weights.locate import find_weights
from vall_e.weights.lora_file import read_lora
from vall_e.weights.speaking_options import load_run

EMBEDDED = "embedded"
"""The model that is opened if none is named."""
SUFFIXES = (".safetensors", ".sft", ".pth")
"""Of weights files."""
FIXED = ("model", "tasks", "training", "data", "text.languages")
"""Options that cannot be changed after training,"""
FREE = ("model.attention",)
"""except those that compute the same in another way."""

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class LoadOptions:
    """Which model to open, and how it is to speak."""

    model: Path | str | None = None
    """A weights file, a checkpoint or training folder, or the name of an installed model; None: the
    run that `config` trained, or the built-in model."""
    config: Path | str | RunConfig | None = None
    """A YAML file whose options of sampling, synthesis, text and codec replace the model's own; or
    what was read from one."""
    nar: Path | str | None = None
    """Weights for the levels after the first; None: those that the model's options name."""
    loras: Sequence[str] = ()
    """Files, or `FILE:STRENGTH`. The built-in model then speaks without its second weights file,
    unless they change level 0 alone."""
    task: str | None = None
    """A task that the model was trained for; None: its first."""
    device: str | None = None
    overrides: Sequence[str] = ()
    """Options that replace all others, as in `["sampling.ar.top-p.p=0.8"]`."""
    home: Path | None = None
    """The folder of the user's voices; None: only the built-in voices."""
    environ: Mapping[str, str] = field(factory=dict)
    """Environment variables that set options."""


def load(
    model: Path | str | None = None,
    config: Path | str | None = None,
    *,
    device: str | None = None,
    overrides: Sequence[str] = (),
    home: Path | None = None,
    task: str | None = None,
    loras: Sequence[str] = (),
    nar: Path | str | None = None,
) -> Synthesizer:
    """Open a model that can speak: the built-in one, if nothing is named.

    The arguments are those of `LoadOptions`; `home` is the platform's folder by default.

    Raises `CheckpointError` for files that do not exist or do not fit each other, `ConfigError` for
    options, and `UnavailableError` for components that cannot run here.
    """
    options = LoadOptions(
        model=model,
        config=config,
        device=device,
        overrides=overrides,
        home=home or platform_home(),
        task=task,
        loras=loras,
        nar=nar,
    )
    return open_synthesizer(options, discover())


def open_synthesizer(options: LoadOptions, registry: Registry) -> Synthesizer:
    """As `load`, with the components of `registry`."""
    voices = Voices(options.home)
    parts = open_parts(options, registry)
    built_in = options.model is None and options.config is None
    synthesizer = Synthesizer(
        parts,
        voices=voices,
        default_voice=voices.default if built_in else None,
        device=options.device,
    )
    for lora in options.loras:
        path, strength = with_strength(lora)
        synthesizer.loras.add(path, strength=strength)
    return synthesizer


def open_parts(options: LoadOptions, registry: Registry) -> Parts:
    """The weights, codec and front end of a synthesizer, loaded and checked."""
    _refuse_fixed(options.overrides)
    if options.task is not None:
        registry.get("task", options.task)  # an unknown name is an error before anything is loaded
    given = _config(options.config, registry)
    path = find_model(_model(options, given), registry)
    bundle = _open(path, options, given, registry)
    later = _later_weights(path, bundle, options, registry)
    second = _open(later, options, given, registry) if later else None
    codec = (second or bundle).config.codec.build()
    parts = Parts.of(bundle, codec, task=options.task, nar=second)
    files = {"model": _facts(path), **({"nar": _facts(later)} if later else {})}
    return evolve(parts, identity={**files, **parts.identity})


def find_model(model: Path | str | None, registry: Registry) -> Path:
    """The weights file that a path or a name stands for; None is the built-in model."""
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


def _is_of_level_0(lora: str) -> bool:
    """Whether it changes level 0 alone, so that the later levels can be another file's."""
    return read_lora(with_strength(lora)[0]).terms.levels == (0,)


def _config(config: Path | str | RunConfig | None, registry: Registry) -> RunConfig | None:
    if config is None or isinstance(config, RunConfig):
        return config
    return load_run(Path(config), registry).config


def _model(options: LoadOptions, given: RunConfig | None) -> Path | str | None:
    if options.model is not None:
        return _weights(options.model)
    return _trained(given) if given else None


def _weights(model: Path | str) -> Path | str:
    """The weights of a training folder; anything else as it is."""
    return find_weights(Path(model)) if Path(model).is_dir() else model


def _later_weights(
    path: Path, bundle: Bundle, options: LoadOptions, registry: Registry
) -> Path | None:
    """The weights for the levels after the first, if they are not those of `path` itself."""
    if options.nar is not None:
        return find_model(_weights(options.nar), registry)
    named = bundle.config.synthesis.nar
    return find_model(_beside(path, named), registry) if named else None


def _trained(given: RunConfig) -> Path:
    try:
        return find_weights(Path(given.training.output))
    except CheckpointError as exc:
        raise CheckpointError(
            f"the config has not been trained: {given.training.output} holds no checkpoint",
            hint="train it with `vall-e train`, or name weights with `model=`",
        ) from exc


def _open(path: Path, options: LoadOptions, given: RunConfig | None, registry: Registry) -> Bundle:
    """The model of a weights file, with the options that it is to speak with."""

    def changed(saved: RunConfig) -> RunConfig:
        if not all(map(_is_of_level_0, options.loras)):
            saved = evolve(saved, synthesis=evolve(saved.synthesis, nar=""))
        merged = _merged(saved, given) if given else saved
        return change(
            merged,
            registry,
            overrides=options.overrides,
            environ=options.environ,
            source=f"config in {path}",
        )

    bundle = weights_file.load(path, registry, change=changed)
    text = bundle.config.text
    text = evolve(text, lexicon=lexicon_beside(path, text.lexicon))
    bundle = evolve(bundle, config=evolve(bundle.config, text=text))
    synthesis = bundle.config.synthesis
    reduce(bundle.model, synthesis.weights)
    model = wrapped(bundle.model, synthesis.wrappers, option="synthesis.wrappers", learning=False)
    return evolve(bundle, model=model.eval())


def _merged(trained: RunConfig, given: RunConfig) -> RunConfig:
    if unstructure(given.model, owners=True) != unstructure(trained.model, owners=True):
        log.warning("the config's `model` differs from the weights' own, which is used")
    return evolve(
        trained,
        codec=given.codec,
        text=evolve(given.text, languages=trained.text.languages),
        sampling=given.sampling,
        # Which weights belong together is a fact of the weights.
        synthesis=evolve(given.synthesis, nar=given.synthesis.nar or trained.synthesis.nar),
    )


def _beside(weights: Path, name: str) -> Path | str:
    """A file that weights name is in their own folder: saved options hold no folders."""
    for path in (weights.parent / name, Path(name)):
        if path.is_file():
            return path
    # A name with a folder is the user's own path.
    if not name.endswith(SUFFIXES) or Path(name).parent != Path():
        return name
    raise CheckpointError(
        f"{weights} names {name} for the levels after the first, which is not beside it",
        hint="put it there, name another with `nar=`, or set synthesis.nar: '' to do without",
    )


def _refuse_fixed(overrides: Sequence[str]) -> None:
    for override in overrides:
        key = override.partition("=")[0].strip()
        if _within(key, FIXED) and not _within(key, FREE):
            raise ConfigError(
                f"{key} is fixed by the weights, or has no effect on speech",
                hint="change options of sampling, synthesis, text or codec",
            )


def _within(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _facts(path: Path) -> dict[str, str]:
    return {"file": path.name, "sha256": sha256_of(path)}
