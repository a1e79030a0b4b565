"""A request while it is spoken: its plan, and what has been made of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from attrs import define, field

from vall_e.codec.encode import to_codes
from vall_e.decoding.job import Speaking, Spoken
from vall_e.device import device_of
from vall_e.interfaces.codec import Codec
from vall_e.synthesis.context import Past
from vall_e.synthesis.plan import Line, Plan
from vall_e.synthesis.result import Chunk, Result, Sentence, Waveform
from vall_e.synthesis.timer import Clock

QUOTED = 80  # letters of a sentence in a warning


@define(eq=False)
class Take:
    """Collects sentences as they are spoken, and plays each as chunks of audio."""

    plan: Plan
    codec: Codec
    chunk_seconds: float
    keep_audio: bool = True
    """Else only the last chunk is kept, so that a long text takes no more memory than a short."""
    clock: Clock = field(factory=Clock)
    past: Past | None = None
    """The sentence that was spoken last."""
    _sentences: list[Sentence] = field(factory=list)
    _chunks: list[Chunk] = field(factory=list)
    _samples: int = 0

    def play(self, speaking: Speaking) -> Iterator[Chunk]:
        """The audio of the next sentence of the plan, and the pause after it."""
        place = len(self._sentences)
        line = self.plan.line(place)
        for audio in self._decode(speaking):
            yield self._chunk(audio, place)
        self._note(line, speaking.spoken)
        if silence := round(line.pause * self.codec.sample_rate):
            yield self._chunk(np.zeros(silence, np.float32), place)

    def finish(self, spoken: Spoken) -> None:
        """As `play`, for a batch: what the decoder did counts as work too."""
        self.clock.total_seconds += spoken.ar_seconds + spoken.nar_seconds
        chunks = self.play(Speaking.at_once(lambda: spoken))
        more = True
        while more:
            with self.clock.working():
                more = next(chunks, None) is not None
            self.clock.heard()

    def result(self) -> Result:
        """What has been made so far."""
        return Result(
            audio=_joined([chunk.audio for chunk in self._chunks]),
            sample_rate=self.codec.sample_rate,
            seed=self.plan.seed,
            sentences=tuple(self._sentences),
            timings=self.clock.timings(),
            warnings=(*self.plan.warnings, *(s.warning for s in self._sentences if s.warning)),
            provenance={**self.plan.provenance, "seed": self.plan.seed},
            samples=self._samples,
        )

    def _note(self, line: Line, spoken: Spoken) -> None:
        self.past = Past(line.job.sample.text, spoken.codes)
        frames = spoken.codes.shape[-1]
        fault = line.job.bounds.fault(frames, spoken.ended, self.codec.frame_rate)
        if fault:
            place = f"sentence {line.job.place + 1} of {len(self.plan.pieces)}"
            fault = f"{place} {fault}: {_start_of(line.text)!r}"
        codes = to_codes(spoken.codes, self.codec)
        self._sentences.append(
            Sentence(
                line.text,
                line.phonemes,
                codes,
                spoken.ended,
                spoken.attempt,
                fault,
                spoken.effort,
            )
        )
        self.clock.written(spoken.ar_seconds, spoken.nar_seconds)

    def _chunk(self, audio: Waveform, place: int) -> Chunk:
        if not self.keep_audio:
            self._chunks.clear()
        self._chunks.append(Chunk(audio, self.codec.sample_rate, place))
        self._samples += len(audio)
        return self._chunks[-1]

    def _decode(self, speaking: Speaking) -> Iterator[Waveform]:
        """Audio of at most `chunk_seconds` at a time, as soon as its codes are there."""
        step = max(1, round(self.chunk_seconds * self.codec.frame_rate))
        stream = self.codec.stream()
        for block in speaking:
            for codes in torch.split(block[None].to(device_of(self.codec)), step, dim=-1):
                with self.clock.decoding_audio(), torch.inference_mode():
                    audio = stream.push(codes)
                yield from _some(audio)
        with self.clock.decoding_audio(), torch.inference_mode():
            audio = stream.flush()
        yield from _some(audio)


def _some(audio: torch.Tensor) -> Iterator[Waveform]:
    """The samples (s,) of a piece of stream (1, 1, s), if there are any."""
    if audio.shape[-1]:
        yield audio[0, 0].float().clamp(-1.0, 1.0).cpu().numpy()


def _start_of(text: str) -> str:
    """What a message quotes of a text."""
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}..."


def _joined(parts: list[Waveform]) -> Waveform:
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
