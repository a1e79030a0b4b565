"""The built-in model as a component. No torch here."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from vall_e.embedded.options import EmbeddedModelConfig
from vall_e.errors import CheckpointError
from vall_e.registry import Component

WEIGHTS = "valle.safetensors"


def build_embedded(config: EmbeddedModelConfig) -> Path:
    return built_in(Path(str(resources.files("vall_e.embedded"))))


def built_in(folder: Path) -> Path:
    """The weights file. Raises `CheckpointError` if it is missing from the installation."""
    path = folder / WEIGHTS
    if not path.is_file():
        raise CheckpointError(
            f"the built-in model is missing from this installation: there is no {path}",
            hint="install vall-e from its wheel, or give another model with -m",
        )
    return path


MODELS = (
    Component(
        name="embedded",
        config=EmbeddedModelConfig,
        build=build_embedded,
        summary="the small built-in model: English, for CPUs, without a download",
        code_license="Apache-2.0",
        weights_license="Apache-2.0",
    ),
)
