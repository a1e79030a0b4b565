"""Paths of datasets with wildcards in them."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from vall_e.data.dataset.open import is_stored
from vall_e.errors import DataError
from vall_e.registry import Registry


def expanded(paths: Sequence[str], registry: Registry, *, option: str) -> list[list[Path]]:
    """The datasets that each path stands for: itself, or sorted those that fit its wildcards.

    `*` and `?` stand for any characters and any one of a name, `**` for any folders. What fits and
    is no dataset is left out; raises `DataError` where nothing is left. `option` names the paths.
    """
    return [_datasets(path, registry, option) for path in paths]


def _datasets(path: str, registry: Registry, option: str) -> list[Path]:
    if not has_magic(path) or Path(path).exists():
        return [Path(path)]
    fitting = sorted(map(Path, glob(path, recursive=True)))
    datasets = [found for found in fitting if is_stored(found, registry)]
    if not datasets:
        raise DataError(
            f"{option}: of {len(fitting)} paths that fit {path} none is a dataset",
            hint="look at what is there, or make datasets with `vall-e data process`",
        )
    return datasets
