"""Weights in the formats of exporters that can also open what they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from vall_e.damaged_files import damage_as
from vall_e.errors import CheckpointError, UnavailableError
from vall_e.interfaces.opening import Opening
from vall_e.registry import Registry, check_commercial

OURS = (".safetensors", ".sft", ".pth")
"""Suffixes that no exporter is asked about."""


def opener_of(path: Path, registry: Registry) -> Opening | None:
    """The exporter whose suffix the file has, if it says that the file is of its format."""
    suffix = path.suffix.lower()
    if suffix in OURS or not path.is_file():
        return None
    for offer in registry.offers_of("exporter"):
        try:
            exporter = offer.component.build(offer.component.config())
        except UnavailableError:
            continue
        if isinstance(exporter, Opening) and suffix == exporter.suffix and exporter.opens(path):
            if registry.commercial:
                check_commercial(offer)
            return exporter
    return None


def read_by(opener: Opening, path: Path) -> tuple[Mapping[str, str], Mapping[str, Tensor]]:
    """The metadata and the tensors of a file, as a safetensors file of ours has them."""
    hint = "export or copy it again"
    with damage_as(CheckpointError, path, what=f"is a damaged {opener.suffix} file", hint=hint):
        metadata, tensors = opener.read(path)
    return metadata, tensors
