"""From a request to a plan: the text is cut, the voice and the seed are fixed, lines are read."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import define, evolve, field, frozen

from vall_e.config.load import unstructure
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
    """One sentence of a plan, as it was read."""

    text: str
    phonemes: str
    pause: float
    """Seconds of silence after it."""
    job: Job
    warning: str
    """What of its text is not spoken; empty if all of it is."""


@define(eq=False)
class Plan:
    """A request in which nothing is left to decide but what chance decides.

    Its lines are read when they are asked for: a long text need not be read before it is spoken.
    """

    pieces: tuple[Piece, ...]
    seed: int
    provenance: Mapping[str, Any]
    _reader: Reader
    _read: list[Line] = field(factory=list, init=False)

    def line(self, place: int) -> Line:
        """Raises `TextError` if the text up to there cannot be spoken."""
        while len(self._read) <= place:
            self._read.append(self._reader(self.pieces[len(self._read)], len(self._read)))
        return self._read[place]

    def lines(self) -> tuple[Line, ...]:
        """All of them: what is not read yet is read now."""
        return tuple(map(self.line, range(len(self.pieces))))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of the lines that have been read."""
        return tuple(line.warning for line in self._read if line.warning)


class Planner:
    """Makes plans for one model."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._cut = Cut.of(parts.config.synthesis)
        options = unstructure(parts.config, owners=True)
        self._options = {name: options[name] for name in ("sampling", "synthesis")}

    def __call__(self, request: Request, voice: Voice | None) -> Plan:
        """Raise `TextError` for an empty text and for a language that the model lacks.

        The first line is read at once, so that a short text which cannot be spoken is refused here.
        """
        _check_seconds(request.max_seconds)
        languages = self._parts.config.text.languages
        language = resolve(request.language or languages[0], languages)
        seed = secrets.randbits(31) if request.seed is None else request.seed
        seconds = self._parts.config.synthesis.prompt_seconds
        sample = Sample(
            text=torch.zeros(0, dtype=torch.long),  # filled in line by line
            language=languages.index(language),
            prompt=voice.prompt(seconds) if voice else None,
            response=torch.zeros(1, 0, dtype=torch.long),
        )
        provenance = {
            "text": request.text,
            "language": language,
            "voice": voice.name if voice else None,
            "consent": voice.consent if voice else "",
            **self._parts.identity,
            "options": self._options,
            "max_seconds": request.max_seconds,
        }
        reader = Reader(self._parts, language, sample, seed, request.max_seconds)
        plan = Plan(tuple(self._cut(request.text)), seed, provenance, reader)
        plan.line(0)
        return plan


@frozen(eq=False)
class Reader:
    """Reads the lines of one request."""

    parts: Parts
    language: str
    sample: Sample
    """All but its text."""
    seed: int
    max_seconds: float | None

    def __call__(self, piece: Piece, place: int) -> Line:
        """Raises `TextError` if it cannot be spoken."""
        phonemes, encoded = self.parts.front_end.read(piece.text, self.language)
        left_out = ", ".join(f"{symbol!r} x {n}" for symbol, n in encoded.unknown.items())
        warning = f"left out of {piece.text!r}, as it cannot be spoken: {left_out}"
        frame_rate, options = self.parts.codec.frame_rate, self.parts.config.synthesis
        bounds = Bounds.of(len(encoded.ids), frame_rate, options, self.max_seconds)
        sample = evolve(self.sample, text=torch.tensor(encoded.ids))
        job = Job(sample, self.seed, place, bounds)
        return Line(piece.text, phonemes, piece.pause, job, warning if left_out else "")


def _check_seconds(seconds: float | None) -> None:
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise ConfigError(
            f"max_seconds must be a number above 0, got {seconds}", hint="leave it out"
        )
