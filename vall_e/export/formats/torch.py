"""A file for `torch.load(path, weights_only=True)`, which runs no code."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vall_e.atomic_write import atomic_path, make_folder
from vall_e.damaged_files import damage_as
from vall_e.errors import CheckpointError
from vall_e.weights.file import Bundle


class TorchExporter:
    """A dict of `model` (tensors by name) and `metadata` (JSON text by key, as in safetensors)."""

    suffix = ".pt"

    def __call__(self, bundle: Bundle, path: Path) -> None:
        make_folder(path.parent, error=CheckpointError)
        content = {"model": bundle.tensors(), "metadata": bundle.metadata()}
        with (
            atomic_path(path, error=CheckpointError) as part,
            part.open("wb") as file,  # given a path, torch reports a full disk differently
        ):
            torch.save(content, file)

    def opens(self, path: Path) -> bool:
        if not zipfile.is_zipfile(path):
            return False
        try:
            with damage_as(CheckpointError, path, hint="export or copy it again"):
                content = _content(path, mmap=True)  # its tensors are not read
        except CheckpointError:
            return False
        return isinstance(content, dict) and content.keys() == {"model", "metadata"}

    def read(self, path: Path) -> tuple[Mapping[str, str], Mapping[str, Tensor]]:
        content = _content(path)
        return content["metadata"], content["model"]


def _content(path: Path, *, mmap: bool = False) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
