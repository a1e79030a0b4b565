"""Opens a dataset in whichever store it is kept."""

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
    """The dataset at `path`, by the one store that holds it.

    `assumed` says what files of e-c-k-e-r do not. With `bad_items="skip"` one of which a part is
    damaged is opened too, where the store can do that. Raises `DataError` where there is none.
    """
    found = [(offer, store) for offer, store in _stores(registry) if store.holds(path)]
    if len(found) > 1:
        names = " and ".join(registry.spelling(offer) for offer, _ in found)
        raise DataError(
            f"{path} is taken for their own by two stores: {names}",
            hint="switch one of them off with VALL_E_DISABLE_PLUGINS, or tell its authors",
        )
    if not found:
        return Dataset(path)  # says what is missing
    store = found[0][1]
    if bad_items == "skip" and isinstance(store, Lenient):
        store = store.lenient()
    return store.open(path, assumed=assumed)


def open_told(path: Path, registry: Registry) -> Stored | None:
    """The dataset at `path`, in any store that tells its codec; None for a folder of recordings."""
    return open_stored(path, registry) if path.is_file() or (path / INFO).exists() else None


def is_stored(path: Path, registry: Registry) -> bool:
    """Whether there is a dataset in any of the stores."""
    return any(store.holds(path) for _, store in _stores(registry))


def info_of(config: RunConfig) -> Info:
    """What a dataset must be like for this run, counts aside."""
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
