"""A picklable factory of preparers, for the processes of a data engine. Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig
    from vall_e.data.ingest.encode_recording import Preparer
    from vall_e.data.ingest.options import IngestOptions


@frozen
class PreparerFactory:
    """Makes a preparer in any process, from plain values that can be pickled.

    Components are looked up again. Of `environ`, only the variables of VALL-E are pickled.
    """

    config: RunConfig
    options: IngestOptions
    environ: Mapping[str, str]
    load_plugins: bool = True

    def __call__(self) -> Preparer:
        from vall_e.data.ingest.encode_recording import make_preparer

        return make_preparer(self.config, self.options)

    def __reduce__(self) -> tuple[Callable[..., PreparerFactory], tuple[Any, ...]]:
        from vall_e.config.load import unstructure

        environ = {key: self.environ[key] for key in self.environ if key.startswith("VALL_E_")}
        return _factory, (unstructure(self.config), self.options, environ, self.load_plugins)


def _factory(
    raw: dict[str, Any], options: IngestOptions, environ: Mapping[str, str], load_plugins: bool
) -> PreparerFactory:
    from vall_e.config.load import structure
    from vall_e.discovery import discover

    registry = discover(environ=environ, load_plugins=load_plugins)
    return PreparerFactory(
        structure(raw, registry, source="config"), options, environ, load_plugins
    )
