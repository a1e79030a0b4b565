"""From a request to a plan: the text is cut, the voice and the seed are fixed, lines are read."""

from __future__ import annotations

import math
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from attrs import define, evolve, field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.audio.codes import Codes
from vall_e.config.load import unstructure
from vall_e.decoding.ar.stopping import Bounds
from vall_e.decoding.job import Job
from vall_e.errors import AudioError, ConfigError
from vall_e.interfaces.task import Sample
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request, require_transcript
from vall_e.synthesis.text_chunks import Cut, Piece
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import LONGEST_SECONDS
from vall_e.text.languages import resolve_spoken
from vall_e.text.vocabulary import BOS, EOS, EncodedText


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

    def __call__(
        self,
        request: Request,
        voice: Voice | None,
        recording: Codes | None = None,
        draft: Codes | None = None,
    ) -> Plan:
        """Raise `TextError` for an empty text and for a language that the model lacks.

        `recording` is the request's input, `draft` its draft. The first line is read at once, so
        that a short text which cannot be spoken is refused here.
        """
        _check_seconds(request.max_seconds)
        languages = self._parts.config.text.languages
        language = resolve_spoken(request.language or languages[0], languages)
        seed = secrets.randbits(31) if request.seed is None else request.seed
        sample = Sample(
            text=torch.zeros(0, dtype=torch.long),  # filled in line by line
            language=languages.index(language),
            prompt=self._prompt(voice) if voice else None,
            response=torch.zeros(1, 0, dtype=torch.long),
            input=_tensor(recording) if recording else None,
            prompt_text=self._prompt_text(voice, language) if voice else None,
            mix=voice.mix(self._parts.config.synthesis.prompt_seconds) if voice else (),
            edit=_frames_of(request.edit, recording) if request.edit and recording else None,
        )
        level_0 = _tensor(draft)[0] if draft else None
        reader = Reader(self._parts, language, sample, seed, request.max_seconds, level_0)
        # What is made of a recording is as long as that, and so of one piece.
        whole = recording or draft
        text = self._parts.front_end.without_markup(request.text)
        pieces = [Piece(request.text, 0.0)] if whole else self._cut(text, language)
        plan = Plan(tuple(pieces), seed, self._provenance(request, voice, language), reader)
        plan.line(0)
        return plan

    def _provenance(self, request: Request, voice: Voice | None, language: str) -> dict[str, Any]:
        return {
            "text": request.text,
            "language": language,
            "voice": voice.name if voice else None,
            "consent": voice.consent if voice else "",
            **self._parts.identity,
            "options": self._options,
            "max_seconds": request.max_seconds,
        }

    def _prompt(self, voice: Voice) -> Int[Tensor, "k f"]:
        """Its beginning; all of it where the model is told what it says."""
        if self._parts.task.wants.transcript and not voice.mixture:
            _require_whole(voice)
            return _tensor(voice.codes)
        return voice.prompt(self._parts.config.synthesis.prompt_seconds)

    def _prompt_text(self, voice: Voice, language: str) -> Int[Tensor, " q"] | None:
        task = self._parts.task
        if not task.wants.transcript:
            return None
        if voice.mixture:
            raise ConfigError(
                f"the task {task.name} goes on from one recording, and the voice is a mixture",
                hint="give one voice",
            )
        require_transcript(task, voice.transcript)
        _, encoded = self._parts.front_end.read(voice.transcript, language)
        return torch.tensor(encoded.ids)


@frozen(eq=False)
class Reader:
    """Reads the lines of one request."""

    parts: Parts
    language: str
    sample: Sample
    """All but its text."""
    seed: int
    max_seconds: float | None
    draft: Int[Tensor, " f"] | None = None

    def __call__(self, piece: Piece, place: int) -> Line:
        """Raises `TextError` if it cannot be spoken."""
        phonemes, encoded = "", EncodedText([BOS, EOS], Counter())
        if piece.text or self.parts.task.wants.text == "needed":
            phonemes, encoded = self.parts.front_end.read(piece.text, self.language)
        left_out = ", ".join(f"{symbol!r} x {n}" for symbol, n in encoded.unknown.items())
        warning = f"left out of {piece.text!r}, as it cannot be spoken: {left_out}"
        sample = evolve(self.sample, text=torch.tensor(encoded.ids))
        job = Job(sample, self.seed, place, self._bounds(sample), self.draft)
        return Line(piece.text, phonemes, piece.pause, job, warning if left_out else "")

    def _bounds(self, sample: Sample) -> Bounds:
        frame_rate, options = self.parts.codec.frame_rate, self.parts.config.synthesis
        worked_on = sample.input if self.draft is None else self.draft
        if worked_on is None:
            return Bounds.of(len(sample.text), frame_rate, options, self.max_seconds)
        frames = worked_on.shape[-1]
        if sample.edit:  # what is kept stays as long as it is
            frames -= sample.edit[1] - sample.edit[0]
            bounds = Bounds.of(len(sample.text), frame_rate, options, None).after(frames)
        else:
            bounds = Bounds(fewest=frames // 2, most=frames + max(1, frames // 4))
        return bounds.within(self.max_seconds, frame_rate)


def _require_whole(voice: Voice) -> None:
    """Raise `AudioError` for a voice whose recording was cut, so that its words say too much."""
    if voice.codes.values.shape[1] >= int(LONGEST_SECONDS * voice.codes.frame_rate):
        raise AudioError(
            f"of voice {voice.name!r} only the first {LONGEST_SECONDS:g} s are used, so it is not "
            "known what is said there",
            hint="give a shorter recording, 3 to 10 seconds are good, and its transcript",
        )


def _frames_of(edit: tuple[float, float], recording: Codes) -> tuple[int, int]:
    """Raise `AudioError` for a part that the recording does not have."""
    seconds = recording.values.shape[1] / recording.frame_rate
    start, stop = edit
    if not 0 <= start <= stop <= seconds:
        raise AudioError(
            f"the recording lasts {seconds:.2f} s, so seconds {start:g} to {stop:g} of it cannot "
            "be said anew",
            hint="name a part of it with --edit, the smaller number first",
        )
    return round(start * recording.frame_rate), round(stop * recording.frame_rate)


def _tensor(codes: Codes) -> Int[Tensor, "k f"]:
    return torch.from_numpy(codes.values.astype("int64"))


def _check_seconds(seconds: float | None) -> None:
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise ConfigError(
            f"max_seconds must be a number above 0, got {seconds}", hint="leave it out"
        )
