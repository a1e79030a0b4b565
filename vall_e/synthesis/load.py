"""Opening a synthesizer from what a user names: a model, a file, a training run, a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vall_e.config.load import load as load_config
from vall_e.config.schema import RunConfig
from vall_e.discovery import discover
from vall_e.errors import CheckpointError
from vall_e.registry import Registry
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.synthesis.voice_library import Voices, platform_home
from vall_e.weights.locate import find_weights


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
    """Open a model that can speak: the one that is built in, if nothing is named.

    `model`: a weights file, a checkpoint or training folder, or the name of an installed model.
    `config`: a YAML file whose options of sampling, synthesis, text and codec are used; without
    `model` its training run is opened. `overrides`: as of `--set`, `["sampling.ar.top-p.p=0.8"]`.
    `home`: the folder with the user's voices, by default the platform's. `task`: one that the model
    was trained for, by default its first. `loras`: files, or `FILE:STRENGTH`, that it speaks with;
    `Synthesizer.loras` changes them later. `nar`: weights that write the levels after the first, as
    `model` names its own; those of `model` then write level 0 alone. Weights that `model`
    brings along for this (the built-in ones do) are left out where there are `loras`: these change
    all levels of `model`.
    """
    return open_synthesizer(
        model,
        Path(config) if config is not None else None,
        discover(),
        overrides=overrides,
        home=home or platform_home(),
        device=device,
        task=task,
        loras=loras,
        nar=nar,
    )


def open_synthesizer(
    model: Path | str | None,
    config: Path | None,
    registry: Registry,
    *,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
    device: str | None = None,
    task: str | None = None,
    loras: Sequence[str] = (),
    nar: Path | str | None = None,
) -> Synthesizer:
    """As `load`, with the registry and the environment (variables of options) handed in."""
    given = load_config(config, registry) if config else None
    if model is not None and Path(model).is_dir():
        model = find_weights(Path(model))
    elif model is None and given and config:
        model = _trained(given, config)
    if nar is not None and Path(nar).is_dir():
        nar = find_weights(Path(nar))
    return Synthesizer.open(
        model,
        registry,
        config=given,
        overrides=overrides,
        environ=environ,
        voices=Voices(home),
        device=device,
        task=task,
        loras=loras,
        nar=nar,
    )


def _trained(given: RunConfig, config: Path) -> Path:
    try:
        return find_weights(Path(given.training.output))
    except CheckpointError as exc:
        raise CheckpointError(
            f"{config} has not been trained: {given.training.output} holds no checkpoint",
            hint=f"run `vall-e train {config}`, or name weights with -m",
        ) from exc
