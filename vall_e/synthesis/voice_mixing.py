"""One voice of several: recordings joined, or their vectors averaged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from attrs import evolve

from vall_e.errors import AudioError, ConfigError
from vall_e.synthesis.voice import Voice


def joined(voices: Sequence[Voice], seconds: float | None) -> Voice:
    """The recordings of one speaker one after the other.

    `seconds`: duration of the joined voice, an equal share of each; None: all of each.
    """
    if not voices:
        raise ConfigError("there is no voice to join", hint="give one or more recordings")
    if len(voices) == 1:
        return voices[0]
    _require_plain(voices, "joined")
    parts = []
    for voice in voices:
        codes = voice.codes.values
        rate = voice.codes.frame_rate
        share = codes.shape[1] if seconds is None else max(1, round(seconds * rate / len(voices)))
        parts.append(codes[:, :share])
    return Voice(
        "+".join(voice.name for voice in voices),
        evolve(voices[0].codes, values=np.concatenate(parts, axis=1)),
        transcript=" ".join(v.transcript for v in voices) if _all_transcribed(voices) else "",
        consent=_consent(voices),
    )


def mixed(voices: Sequence[tuple[Voice, float]]) -> Voice:
    """A voice between several: the vectors of their prompts are averaged with these weights."""
    if not voices:
        raise ConfigError("there is no voice to mix", hint="give one or more with their weights")
    for voice, weight in voices:
        if not (math.isfinite(weight) and weight > 0):
            raise ConfigError(
                f"the weight of {voice.name!r} in a mixture must be a number above 0: {weight:g}",
                hint="leave the voice out, or give it a weight of 1",
            )
    plain = [voice for voice, _ in voices]
    if len(plain) == 1:
        return plain[0]
    _require_plain(plain, "mixed")
    total = sum(weight for _, weight in voices)
    return Voice(
        ", ".join(f"{voice.name}:{weight:g}" for voice, weight in voices),
        plain[0].codes,
        consent=_consent(plain),
        mixture=tuple((voice.codes, weight / total) for voice, weight in voices),
    )


def _require_plain(voices: Sequence[Voice], what: str) -> None:
    for voice in voices:
        if voice.mixture:
            raise AudioError(
                f"voice {voice.name!r} is a mixture, so it cannot be {what} with others",
                hint="mix all voices at once",
            )


def _all_transcribed(voices: Sequence[Voice]) -> bool:
    return all(voice.transcript for voice in voices)


def _consent(voices: Sequence[Voice]) -> str:
    return "; ".join(voice.consent for voice in voices if voice.consent)
