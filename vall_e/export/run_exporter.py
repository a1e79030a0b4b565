"""Exports weights with an exporter."""

from pathlib import Path

import torch

from vall_e.errors import CheckpointError
from vall_e.export.merge_lora import settle_lora
from vall_e.interfaces.export import Exporter
from vall_e.registry import Registry
from vall_e.weights.file import load
from vall_e.weights.locate import find_weights

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def export_weights(
    checkpoint: Path,
    exporter: Exporter,
    registry: Registry,
    *,
    dtype: str | None = None,
    output: Path | None = None,
    merged: bool = False,
) -> Path:
    """Return the path of the file. Floating-point tensors become `dtype`; None keeps each.

    With `merged` a LoRA becomes part of the weights.

    Raises `CheckpointError` instead of overwriting the source.
    """
    weights = find_weights(checkpoint)
    bundle = load(weights, registry, dtype=None)
    settle_lora(bundle.model, exporter, weights, merged=merged)
    if dtype is not None:
        bundle.model.to(DTYPES[dtype])
    path = output or Path(_name(checkpoint) + exporter.suffix)
    if path.resolve() == weights.resolve():
        raise CheckpointError(f"{path} is the source itself", hint="give another file with -o")
    exporter(bundle, path)
    return path


def _name(checkpoint: Path) -> str:
    return checkpoint.stem if checkpoint.is_file() else checkpoint.resolve().name
