"""A file for `torch.load(path, weights_only=True)`, which runs no code."""

from pathlib import Path

import torch

from vall_e.atomic_write import atomic_path, make_folder
from vall_e.errors import CheckpointError
from vall_e.weights.file import Bundle, metadata_of, tensors_of


class TorchExporter:
    """A dict of `model` (tensors by name) and `metadata` (JSON text by key, as in safetensors)."""

    suffix = ".pt"

    def __call__(self, bundle: Bundle, path: Path) -> None:
        make_folder(path.parent, error=CheckpointError)
        content = {"model": tensors_of(bundle.model), "metadata": metadata_of(bundle)}
        with (
            atomic_path(path, error=CheckpointError) as part,
            part.open("wb") as file,  # given a path, torch reports a full disk differently
        ):
            torch.save(content, file)
