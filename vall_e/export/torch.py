"""A file for `torch.load(path, weights_only=True)`, which runs no code."""

import os
from pathlib import Path

import torch

from vall_e.model.weights import Bundle, metadata_of, tensors_of


class TorchExporter:
    """A dict of `model` (tensors by name) and `metadata` (JSON text by key, as in safetensors)."""

    suffix = ".pt"

    def __call__(self, bundle: Bundle, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        torch.save({"model": tensors_of(bundle.model), "metadata": metadata_of(bundle)}, part)
        os.replace(part, path)
