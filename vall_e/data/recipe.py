"""How recordings are prepared, in plain values: another process, or machine, can do it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig
    from vall_e.data.prepare import Preparer


@frozen
class Wishes:
    """What can be said of all recordings, beside the codec and the text settings of a run."""

    language: str | None = None
    """That of all recordings; None: what the transcripts say."""
    max_seconds: float = 60.0
    device: str = "cpu"
    """Where the codec runs."""
    voices_only: bool = False
    """Nobody cares what is said: every text is empty."""
    level: float | None = None
    """The loudness, in dB of full scale, that all are brought to; None: as they are."""


@frozen
class Recipe:
    """Makes a preparer. Pickled, it is plain values: another process finds the components anew.

    Of `environ`, what concerns VALL-E goes along.
    """

    config: RunConfig
    wishes: Wishes
    environ: Mapping[str, str]
    load_plugins: bool = True

    def __call__(self) -> Preparer:
        from vall_e.data.prepare import make_preparer

        return make_preparer(self.config, self.wishes)

    def __reduce__(self) -> tuple[Callable[..., Recipe], tuple[Any, ...]]:
        from vall_e.config.load import unstructure

        environ = {key: self.environ[key] for key in self.environ if key.startswith("VALL_E_")}
        return _recipe, (unstructure(self.config), self.wishes, environ, self.load_plugins)


def _recipe(
    raw: dict[str, Any], wishes: Wishes, environ: Mapping[str, str], load_plugins: bool
) -> Recipe:
    from vall_e.config.load import structure
    from vall_e.discovery import discover

    registry = discover(environ=environ, load_plugins=load_plugins)
    return Recipe(structure(raw, registry, source="config"), wishes, environ, load_plugins)
