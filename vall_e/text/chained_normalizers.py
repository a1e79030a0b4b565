"""Several normalizers, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, define, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vall_e.interfaces.text import Normalizer


@define
class ChainedNormalizers:
    """Each gets what the one before it wrote."""

    steps: tuple[Normalizer, ...]
    languages: Sequence[str] = field(
        init=False, default=Factory(lambda self: _known(self.steps), takes_self=True)
    )
    """Those that any of them knows; empty if one knows all."""

    def __call__(self, text: str, language: str) -> str:
        for step in self.steps:
            text = step(text, language)
        return text


def _known(steps: Sequence[Normalizer]) -> list[str]:
    each = [list(step.languages) for step in steps]
    return [] if [] in each else sorted({code for codes in each for code in codes})
