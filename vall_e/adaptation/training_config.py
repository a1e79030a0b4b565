"""The YAML file by which a model is adapted, as a user would write it. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vall_e.adaptation.options import DATA, RUN, AdaptOptions
from vall_e.config.load import structure, unstructure
from vall_e.config.synthesis import SynthesisConfig
from vall_e.config.yaml_document import write
from vall_e.registry import Registry
from vall_e.weights.metadata import read_facts

KEPT = ("model", "tasks", "text", "codec")
"""Sections that must be those of the model."""
LIKE_BEFORE = ("prompt_seconds", "without_prompt", "without_text", "without_both")
"""Options of `data` that its speaking depends on: guidance needs samples without text."""
LEVELS = [0, 0, 0, 0, 0, 0, 1, 1, 2, 3]
"""How often each level is trained, for a model that speaks four or fewer."""


def training_config(weights: Path, options: AdaptOptions, registry: Registry) -> dict[str, Any]:
    """Paths are relative to the working folder, except that of the weights."""
    saved = read_facts(weights)["config"]
    known = structure(
        {key: saved[key] for key in (*KEPT, "synthesis", "data") if key in saved},
        registry,
        source=f"config in {weights}",
    )
    raw: dict[str, Any] = unstructure(known, owners=True)
    levels = _levels(known.synthesis)
    return {
        **{key: raw[key] for key in KEPT},
        "data": {
            "train": [f"{DATA}/learn"],
            "validation": [f"{DATA}/held-out"],
            "batch_seconds": 24,
            **{key: raw["data"][key] for key in LIKE_BEFORE},
        },
        "training": {
            "start_from": str(weights.resolve()),
            "output": RUN,
            "wrappers": [
                {"name": "lora", "rank": 8, "alpha": 16, "levels": [0] if levels == [0] else []}
            ],
            "max_steps": options.steps,
            "optimizer": {"name": "adamw", "lr": 2e-3},
            "schedule": {"name": "cosine", "warmup_steps": 20},
            "levels": levels,
            "device": options.device,
            "evaluate_every": 25,
            "early_stop": 4,
            "save_every": 25,
            "keep": 1,
        },
    }


def _levels(synthesis: SynthesisConfig) -> list[int] | str:
    """How often each level is trained.

    A second file of weights keeps the later levels: without it the built-in voice is understood
    worse (docs/lora.md).
    """
    if synthesis.nar:
        return [0]
    spoken = synthesis.levels
    return [level for level in LEVELS if level < spoken] if 0 < spoken <= 4 else "auto"


def as_yaml(config: Mapping[str, Any]) -> bytes:
    """One line for each option of a section."""
    lines = ["# Written by `vall-e adapt`"]
    for section, options in config.items():
        if isinstance(options, Mapping):
            lines += [f"{section}:", *(f"  {key}: {write(one)}" for key, one in options.items())]
        else:
            lines.append(f"{section}: {write(options)}")
    return ("\n".join(lines) + "\n").encode()
