"""Wildcards in the paths of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from vall_e.data.dataset.open import is_stored
from vall_e.errors import DataError
from vall_e.registry import Registry


def expanded(paths: Sequence[str], registry: Registry, *, option: str) -> list[list[Path]]:
    """The datasets that each path stands for: itself, or those that match its wildcards, sorted.

    `*` and `?` match any characters or one character of a name, `**` any folders. Matches that are
    not datasets are left out; raises `DataError` if none are left. `option` names the paths.
    """
    return [_datasets(path, registry, option) for path in paths]


def _datasets(path: str, registry: Registry, option: str) -> list[Path]:
    if not has_magic(path) or Path(path).exists():
        return [Path(path)]
    fitting = sorted(map(Path, glob(path, recursive=True)))
    datasets = [found for found in fitting if is_stored(found, registry)]
    if not datasets:
        raise DataError(
            f"{option}: of {len(fitting)} paths that match {path}, none is a dataset",
            hint="check the path, or make datasets with `vall-e data process`",
        )
    return datasets
