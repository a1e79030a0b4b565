"""One request for speech: a text, a voice and what is set for this request alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from attrs import Attribute, field, frozen

from vall_e.audio.clip import Clip
from vall_e.audio.time_stretch import check_speed
from vall_e.errors import ConfigError
from vall_e.synthesis.voice import Voice

VoiceLike = Voice | Path | str
"""A voice; the path of a recording or a voice file; or the name of a voice."""


def _is_text(request: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(
            f"the text must be a string, got {type(value).__name__}", hint="give the text to say"
        )


def _is_seed(request: object, attribute: Attribute[Any], value: object) -> None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return
    raise ConfigError(
        f"a seed must be a whole number, 0 or more, got {value!r}",
        hint="leave it out for a random seed, which the result states",
    )


def _is_limit(request: object, attribute: Attribute[Any], value: object) -> None:
    if value is None or (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
        return
    raise ConfigError(
        f"max_seconds must be a number above 0, got {value!r}", hint="leave it out for the default"
    )


@frozen(eq=False)
class Request:
    """What to say, and how. Raises `ConfigError` for values that cannot be used."""

    text: str = field(validator=_is_text)
    voice: VoiceLike | None = field(default=None, kw_only=True)
    """None: the model's default voice; "none": no voice prompt, the model picks a voice."""
    seed: int | None = field(default=None, kw_only=True, validator=_is_seed)
    """0 or more. None: a random seed, which the result states."""
    language: str | None = field(default=None, kw_only=True)
    """Code such as `en-us`; None: the model's first language."""
    max_seconds: float | None = field(default=None, kw_only=True, validator=_is_limit)
    """Longest duration of each sentence; None: as configured."""
    speed: float = field(default=1.0, kw_only=True, converter=check_speed)
    """Tempo at the same pitch, from 0.25 to 4: 2 is twice as fast as the voice speaks."""
    input: str | Path | Clip | None = field(default=None, kw_only=True)
    """The recording that the task works on; None for tasks that need none."""
    edit: tuple[float, float] | None = field(default=None, kw_only=True)
    """First and last second of the part of `input` to replace, for tasks that edit speech."""
    draft: str | Path | Clip | None = field(default=None, kw_only=True)
    """A recording whose level 0 masked decoding starts from, at `sampling.demask.start`."""
