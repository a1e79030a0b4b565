"""Opens a dataset in any store."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from vall_e.config.schema import RunConfig
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest import INFO
from vall_e.errors import DataError
from vall_e.interfaces.store import Info, Lenient, Store, Stored
from vall_e.registry import Offer, Registry

BadItems = Literal["error", "skip"]


def open_stored(
    path: Path,
    registry: Registry,
    *,
    assumed: Info | None = None,
    bad_items: BadItems = "error",
) -> Stored:
    """The dataset at `path`, opened by the one store that recognizes it.

    `assumed` supplies what files of e-c-k-e-r do not state. With `bad_items="skip"`, partly damaged
    datasets are opened too, if the store can do that. Raises `DataError` if there is none.
    """
    found = [(offer, store) for offer, store in _stores(registry) if store.holds(path)]
    if len(found) > 1:
        names = " and ".join(registry.spelling(offer) for offer, _ in found)
        raise DataError(
            f"{path} is recognized by two stores: {names}",
            hint="disable one of them with VALL_E_DISABLE_PLUGINS, or report it to its authors",
        )
    if not found:
        return Dataset(path)  # raises an error about what is missing
    store = found[0][1]
    if bad_items == "skip" and isinstance(store, Lenient):
        store = store.lenient()
    return store.open(path, assumed=assumed)


def open_described(path: Path, registry: Registry) -> Stored | None:
    """The dataset at `path`, in any store that names its codec; None for a folder of recordings."""
    return open_stored(path, registry) if path.is_file() or (path / INFO).exists() else None


def is_stored(path: Path, registry: Registry) -> bool:
    """Whether any store recognizes a dataset there."""
    return any(store.holds(path) for _, store in _stores(registry))


def info_of(config: RunConfig) -> Info:
    """What a dataset must match for this run, apart from counts."""
    codec = config.codec.build()
    return Info(
        codec=codec.identity,
        frame_rate=float(codec.frame_rate),
        sample_rate=codec.sample_rate,
        levels=codec.levels,
        codebook_size=codec.codebook_size,
        phonemizer=config.text.phonemizer.component.name,
    )


def _stores(registry: Registry) -> list[tuple[Offer, Store]]:
    offers = registry.offers_of("store")
    return [(offer, offer.component.build(offer.component.config())) for offer in offers]
