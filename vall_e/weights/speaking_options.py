"""Speaking options that a run inherits from the weights it starts from. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vall_e.config.load import Loaded, load_with_origins, structure, unstructure
from vall_e.config.value_origin import Node, ValueOrigin
from vall_e.errors import CheckpointError, UnknownComponentError
from vall_e.registry import Registry
from vall_e.weights.locate import WEIGHTS, latest, named_weights
from vall_e.weights.metadata import read_facts

SECTIONS = ("sampling", "synthesis")
OF_ONE_MACHINE = ("device", "threads")
OF_ONE_FILE = ("nar",)
"""A fine-tuned model generates the later levels itself; the file was for other weights."""


def load_run(
    path: Path | None,
    registry: Registry,
    *,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Like `load_with_origins`; speaking options come from `training.start_from` if it is set.

    These are the sections `sampling` and `synthesis`. Options of the file, the environment and
    `--set` have priority. If the initial weights are gone, the options of the run's own latest
    checkpoint are used.
    """

    def inherited(start_from: str, output: Path) -> Node:
        weights = _weights(start_from, output, registry)
        origin = ValueOrigin(f"weights of {start_from}", folder=weights.parent)
        return Node.of(_options(weights, registry), origin)

    return load_with_origins(
        path, registry, overrides=overrides, environ=environ, inherited=inherited
    )


def _weights(name: str, output: Path, registry: Registry) -> Path:
    try:
        return named_weights(name, registry)
    except (CheckpointError, UnknownComponentError):
        checkpoint = latest(output)
        if checkpoint is None:
            raise
        return checkpoint / WEIGHTS


def _options(weights: Path, registry: Registry) -> dict[str, Any]:
    saved = read_facts(weights)["config"]
    known = structure(
        {name: saved[name] for name in SECTIONS if name in saved},
        registry,
        source=f"config in {weights}",
    )
    raw: dict[str, Any] = unstructure(known, owners=True)
    for key in (*OF_ONE_MACHINE, *OF_ONE_FILE):
        del raw["synthesis"][key]
    return {name: raw[name] for name in SECTIONS}
