"""From a request to a plan: the text is cut and read, the voice and the seed are fixed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import evolve, field, frozen

from vall_e.errors import ConfigError
from vall_e.interfaces import Sample
from vall_e.synthesis.decode import Job
from vall_e.synthesis.ending import Bounds
from vall_e.synthesis.parts import Parts
from vall_e.synthesis.pieces import Cut, Piece
from vall_e.synthesis.voice import Voice
from vall_e.text.languages import resolve

VoiceLike = Voice | Path | str
"""A voice; the path of a recording or a voice file; or the name of a voice."""


@frozen(eq=False)
class Request:
    """What to say, and how."""

    text: str
    voice: VoiceLike | None = field(default=None, kw_only=True)
    """None: the model's usual voice; "none": no prompt, so a voice of the model's choice."""
    seed: int | None = field(default=None, kw_only=True)
    """None: a new one, which the result tells."""
    language: str | None = field(default=None, kw_only=True)
    """None: the model's first."""
    max_seconds: float | None = field(default=None, kw_only=True)
    """For each sentence; None: as configured."""


@frozen(eq=False)
class Line:
    """One sentence of a plan."""

    text: str
    phonemes: str
    pause: float
    """Seconds of silence after it."""
    job: Job


@frozen(eq=False)
class Plan:
    """A request in which nothing is left to decide but what chance decides."""

    lines: tuple[Line, ...]
    seed: int
    warnings: tuple[str, ...]
    provenance: Mapping[str, Any]


class Planner:
    """Makes plans for one model."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._options = parts.config.synthesis
        self._cut = Cut.of(self._options)

    def __call__(self, request: Request, voice: Voice | None) -> Plan:
        """Raise `TextError` for an empty text and for a language that the model lacks."""
        if request.max_seconds is not None and request.max_seconds <= 0:
            raise ConfigError(
                f"max_seconds must be above 0, got {request.max_seconds}", hint="leave it out"
            )
        seed = secrets.randbits(31) if request.seed is None else request.seed
        languages = self._parts.config.text.languages
        language = resolve(request.language or languages[0], languages)
        prompt = voice.prompt(self._options.prompt_seconds) if voice else None
        # Ids are filled in line by line.
        sample = Sample(
            text=torch.zeros(0, dtype=torch.long),
            language=languages.index(language),
            prompt=prompt,
            response=torch.zeros(1, 0, dtype=torch.long),
        )
        warnings: list[str] = []
        lines = tuple(
            self._line(piece, place, language, sample, seed, request.max_seconds, warnings)
            for place, piece in enumerate(self._cut(request.text))
        )
        provenance = {
            "text": request.text,
            "language": language,
            "voice": voice.name if voice else None,
            **self._parts.identity,
        }
        return Plan(lines, seed, tuple(warnings), provenance)

    def _line(
        self,
        piece: Piece,
        place: int,
        language: str,
        sample: Sample,
        seed: int,
        max_seconds: float | None,
        warnings: list[str],
    ) -> Line:
        front_end = self._parts.front_end
        phonemes, encoded = front_end.read(piece.text, language)
        if encoded.unknown:
            left_out = ", ".join(f"{symbol!r} x {n}" for symbol, n in encoded.unknown.items())
            warnings.append(f"left out of {piece.text!r}, as it cannot be spoken: {left_out}")
        bounds = Bounds.of(
            len(encoded.ids), self._parts.codec.frame_rate, self._options, max_seconds
        )
        sample = evolve(sample, text=torch.tensor(encoded.ids))
        return Line(piece.text, phonemes, piece.pause, Job(sample, seed, place, bounds))
