"""From a request to jobs for the decoder: the text is cut and phonemized, voice and seed fixed."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from attrs import define, evolve, field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.audio.codes import Codes
from vall_e.config.load import unstructure
from vall_e.decoding.ar.stopping import Bounds
from vall_e.decoding.job import Job
from vall_e.errors import AudioError
from vall_e.interfaces.task import Sample
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import LONGEST_SECONDS
from vall_e.text.chunks import Chunker, TextChunk
from vall_e.text.languages import resolve_spoken
from vall_e.text.unicode_form import require_characters
from vall_e.text.vocabulary import BOS, EOS, EncodedText


@define(eq=False)
class Plan:
    """The sentences of a request. Each is phonemized when it is first asked for.

    So a long text can start to sound before all of it has been read.
    """

    chunks: tuple[TextChunk, ...]
    seed: int
    speed: float
    provenance: Mapping[str, Any]
    _make: Callable[[TextChunk, int], Job]
    _made: list[Job] = field(factory=list, init=False)

    def __len__(self) -> int:
        return len(self.chunks)

    def job(self, place: int) -> Job:
        """Raise `TextError` if the text up to there cannot be spoken."""
        while len(self._made) <= place:
            self._made.append(self._make(self.chunks[len(self._made)], len(self._made)))
        return self._made[place]

    def jobs(self) -> list[Job]:
        """All of them, phonemized now."""
        return [self.job(place) for place in range(len(self))]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of the sentences that have been phonemized."""
        return tuple(job.warning for job in self._made if job.warning)


class Planner:
    """Makes the plans for one model."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._cut = Chunker.of(parts.config.synthesis)
        options = unstructure(parts.config, owners=True)
        self._options = {name: options[name] for name in ("sampling", "synthesis")}

    def __call__(
        self,
        request: Request,
        voice: Voice | None,
        recording: Codes | None = None,
        draft: Codes | None = None,
    ) -> Plan:
        """Raise `TextError` for an empty text, and for a language that the model lacks.

        `recording` is the request's input, `draft` its draft. The first sentence is phonemized at
        once, so that a short text which cannot be spoken is refused here.
        """
        require_characters(request.text)
        languages = self._parts.config.text.languages
        language = resolve_spoken(request.language or languages[0], languages)
        seed = secrets.randbits(31) if request.seed is None else request.seed
        sample = Sample(
            text=torch.zeros(0, dtype=torch.long),  # each job has its own
            language=languages.index(language),
            prompt=self._prompt(voice) if voice else None,
            response=torch.zeros(1, 0, dtype=torch.long),
            input=_tensor(recording) if recording else None,
            prompt_text=self._prompt_text(voice, language) if voice else None,
            mix=voice.mix(self._parts.config.synthesis.prompt_seconds) if voice else (),
            edit=_frames_of(request.edit, recording) if request.edit and recording else None,
        )
        level_0 = _tensor(draft)[0] if draft else None
        make = _JobMaker(self._parts, language, sample, seed, request.max_seconds, level_0)
        # What is made of a recording is as long as the recording, and so is one chunk.
        whole = recording or draft
        text = self._parts.front_end.without_markup(request.text)
        chunks = [(request.text, 0.0)] if whole else self._cut(text, language)
        provenance = self._provenance(request, voice, language)
        plan = Plan(tuple(chunks), seed, request.speed, provenance, make)
        plan.job(0)
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
            "speed": request.speed,
        }

    def _prompt(self, voice: Voice) -> Int[Tensor, "k f"]:
        """The voice's beginning; all of it for a task that reads its transcript."""
        if self._parts.task.wants.transcript and not voice.mixture:
            _require_whole(voice)
            return _tensor(voice.codes)
        return voice.prompt(self._parts.config.synthesis.prompt_seconds)

    def _prompt_text(self, voice: Voice, language: str) -> Int[Tensor, " q"] | None:
        if not self._parts.task.wants.transcript:
            return None
        _, encoded = self._parts.front_end.read(voice.transcript, language)
        return torch.tensor(encoded.ids)


@frozen(eq=False)
class _JobMaker:
    """Phonemizes the chunks of one request."""

    parts: Parts
    language: str
    sample: Sample
    """Complete but for its text."""
    seed: int
    max_seconds: float | None
    draft: Int[Tensor, " f"] | None = None

    def __call__(self, chunk: TextChunk, place: int) -> Job:
        """Raise `TextError` if it cannot be spoken."""
        text, pause = chunk
        phonemes, encoded = "", EncodedText([BOS, EOS], Counter())
        if text or self.parts.task.wants.text == "needed":
            phonemes, encoded = self.parts.front_end.read(text, self.language)
        left_out = ", ".join(f"{symbol!r} x {n}" for symbol, n in encoded.unknown.items())
        sample = evolve(self.sample, text=torch.tensor(encoded.ids))
        return Job(
            sample,
            self.seed,
            place,
            self._bounds(sample),
            self.draft,
            text=text,
            phonemes=phonemes,
            pause=pause,
            warning=f"not spoken in {text!r}: {left_out}" if left_out else "",
        )

    def _bounds(self, sample: Sample) -> Bounds:
        frame_rate, options = self.parts.codec.frame_rate, self.parts.config.synthesis
        source = sample.input if self.draft is None else self.draft
        if source is None:
            return Bounds.of(len(sample.text), frame_rate, options, self.max_seconds)
        frames = source.shape[-1]
        if sample.edit:  # what is kept keeps its length
            frames -= sample.edit[1] - sample.edit[0]
            bounds = Bounds.of(len(sample.text), frame_rate, options, None).after(frames)
        else:
            bounds = Bounds(fewest=frames // 2, most=frames + max(1, frames // 4))
        return bounds.within(self.max_seconds, frame_rate)


def _require_whole(voice: Voice) -> None:
    """Raise `AudioError` for a voice whose recording was cut: its transcript is then too long."""
    if voice.codes.values.shape[1] >= int(LONGEST_SECONDS * voice.codes.frame_rate):
        raise AudioError(
            f"only the first {LONGEST_SECONDS:g} s of voice {voice.name!r} are used, so its "
            "transcript does not match them",
            hint="give a shorter recording, 3 to 10 seconds are good, and its transcript",
        )


def _frames_of(edit: tuple[float, float], recording: Codes) -> tuple[int, int]:
    """Raise `AudioError` for a part that the recording does not have."""
    seconds = recording.values.shape[1] / recording.frame_rate
    start, stop = edit
    if not 0 <= start <= stop <= seconds:
        raise AudioError(
            f"the recording lasts {seconds:.2f} s, so its seconds {start:g} to {stop:g} cannot be "
            "replaced",
            hint="give a part of it with `edit=`, the smaller number first",
        )
    return round(start * recording.frame_rate), round(stop * recording.frame_rate)


def _tensor(codes: Codes) -> Int[Tensor, "k f"]:
    return torch.from_numpy(codes.values.astype("int64"))
