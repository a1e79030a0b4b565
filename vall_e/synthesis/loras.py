"""The LoRAs of a synthesizer: loaded, switched and merged while it runs."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from vall_e.errors import CheckpointError, ConfigError
from vall_e.model.lora import OWN, adapters, detach, merge
from vall_e.model.valle import Valle
from vall_e.weights.lora_file import SUFFIX, attach_tensors, base_hash, read_lora

log = logging.getLogger(__name__)

TRAINED = "trained"
"""The name of the LoRA that came with the model, from a training run."""


@frozen
class _Loaded:
    key: str
    sha256: str


class Loras(Mapping[str, float]):
    """Strengths by name: 1 is as trained, 0 is off, more than one LoRA add up.

    `loras["me"] = 0.5` changes a strength. The change applies at once, also to running requests.
    """

    def __init__(self, model: Valle) -> None:
        self._model = model
        self._base: str | None = None
        self._loaded: dict[str, _Loaded] = {}
        self._merged: list[dict[str, Any]] = []
        self._count = 0
        if adapters(model):
            self._loaded[TRAINED] = _Loaded(OWN, "")

    def __getitem__(self, name: str) -> float:
        return next(iter(adapters(self._model, self._find(name).key).values())).strength

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)

    def __setitem__(self, name: str, strength: float) -> None:
        if not math.isfinite(strength):
            raise ConfigError(
                f"the strength of a LoRA must be a finite number: {strength}", hint="1 is usual"
            )
        for adapter in adapters(self._model, self._find(name).key).values():
            adapter.strength = float(strength)

    def add(self, path: Path | str, *, name: str = "", strength: float = 1.0) -> str:
        """Load a file; returns its name, by default that of the file.

        Raises `CheckpointError` for one that was trained on another base. A file of
        e-c-k-e-r/vall-e does not name its base, so only shapes are checked, with a warning.
        """
        path = Path(path)
        name = name or _name(path)
        if name in self._loaded:
            raise CheckpointError(
                f"there is a LoRA {name!r} already", hint="give it a name of its own, or remove it"
            )
        file = read_lora(path)
        if not file.base:
            log.warning("%s does not state which model it was trained on", path.name)
        elif file.base != self._base_hash():
            raise CheckpointError(
                f"{path} was trained on another base than this model",
                hint="open the model that it was trained on, in the same precision, with `model=`",
            )
        self._count += 1
        key = str(self._count)
        attach_tensors(self._model, file.terms, file.tensors, key=key)
        self._loaded[name] = _Loaded(key, hashlib.sha256(path.read_bytes()).hexdigest())
        self[name] = strength
        self._model.eval()
        return name

    def remove(self, name: str) -> None:
        """Remove it; the model is as it was before."""
        detach(self._model, self._find(name).key)
        del self._loaded[name]

    def merge(self) -> None:
        """Add all to the weights at their present strength: faster, and cannot be undone."""
        self._base_hash()
        merged = self._told()
        merge(self._model, levels=self._model.sizes.levels)
        self._loaded.clear()
        self._merged += merged

    def provenance(self) -> list[dict[str, Any]]:
        """Names, strengths and file hashes of the LoRAs that have an effect."""
        return self._merged + self._told()

    def _told(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "strength": self[name], "sha256": loaded.sha256}
            for name, loaded in self._loaded.items()
            if self[name]
        ]

    def _base_hash(self) -> str:
        """Hash of the weights as loaded: merging does not change which LoRAs fit."""
        self._base = self._base or base_hash(self._model)
        return self._base

    def _find(self, name: str) -> _Loaded:
        if name not in self._loaded:
            known = ", ".join(self._loaded) or "none"
            raise CheckpointError(f"there is no LoRA {name!r}", hint=f"there are: {known}")
        return self._loaded[name]


def _name(path: Path) -> str:
    """The file's, without suffix."""
    ours = path.name.removesuffix(SUFFIX)
    return ours if ours != path.name else path.stem.removesuffix(".lora")


def with_strength(text: str) -> tuple[Path, float]:
    """Path and strength from `FILE` or `FILE:STRENGTH`."""
    head, colon, tail = text.rpartition(":")
    try:
        return (Path(head), float(tail)) if colon and head else (Path(text), 1.0)
    except ValueError:  # a colon of the path
        return Path(text), 1.0
