"""The core's own components, offered through the same hooks as any plugin's. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.audio.effects.components import AUDIO_EFFECTS
from vall_e.data.engines.components import DATA_ENGINES
from vall_e.data.stores.components import STORES
from vall_e.decoding.strategies.components import STRATEGIES
from vall_e.embedded.components import MODELS
from vall_e.export.formats.components import EXPORTERS
from vall_e.hookspecs import hookimpl
from vall_e.tasks.components import TASKS
from vall_e.text.normalizers.components import NORMALIZERS
from vall_e.text.phonemizers.components import PHONEMIZERS
from vall_e.training.engines.components import ENGINES
from vall_e.training.optimizers.components import OPTIMIZERS
from vall_e.training.schedules.components import SCHEDULES
from vall_e.training.trackers.components import TRACKERS
from vall_e.training.wrappers.components import WRAPPERS

if TYPE_CHECKING:
    from vall_e.registry import Component

vall_e_hook_api = (1, 3)


@hookimpl
def vall_e_register_tasks() -> list[Component[Any]]:
    return [*TASKS]


@hookimpl
def vall_e_register_optimizers() -> list[Component[Any]]:
    return [*OPTIMIZERS]


@hookimpl
def vall_e_register_schedules() -> list[Component[Any]]:
    return [*SCHEDULES]


@hookimpl
def vall_e_register_wrappers() -> list[Component[Any]]:
    return [*WRAPPERS]


@hookimpl
def vall_e_register_normalizers() -> list[Component[Any]]:
    return [*NORMALIZERS]


@hookimpl
def vall_e_register_phonemizers() -> list[Component[Any]]:
    return [*PHONEMIZERS]


@hookimpl
def vall_e_register_engines() -> list[Component[Any]]:
    return [*ENGINES]


@hookimpl
def vall_e_register_trackers() -> list[Component[Any]]:
    return [*TRACKERS]


@hookimpl
def vall_e_register_exporters() -> list[Component[Any]]:
    return [*EXPORTERS]


@hookimpl
def vall_e_register_models() -> list[Component[Any]]:
    return [*MODELS]


@hookimpl
def vall_e_register_stores() -> list[Component[Any]]:
    return [*STORES]


@hookimpl
def vall_e_register_data_engines() -> list[Component[Any]]:
    return [*DATA_ENGINES]


@hookimpl
def vall_e_register_audio_effects() -> list[Component[Any]]:
    return [*AUDIO_EFFECTS]


@hookimpl
def vall_e_register_strategies() -> list[Component[Any]]:
    return [*STRATEGIES]
