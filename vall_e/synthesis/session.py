"""One request while it is spoken: its sentences become codes, and codes become chunks of audio."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Literal

import numpy as np
import torch
from attrs import define, frozen

from vall_e.audio.time_stretch import TimeStretch
from vall_e.codec.encode import to_codes
from vall_e.decoding.decoder import Blocks, Decoder
from vall_e.decoding.job import Decoded, Job
from vall_e.device import device_of
from vall_e.interfaces.codec import Codec
from vall_e.synthesis.context import Context
from vall_e.synthesis.effects import Effects
from vall_e.synthesis.plan import Plan
from vall_e.synthesis.result import Chunk, Result, Sentence, Timings, Waveform

QUOTED = 80  # characters of a sentence in a warning


@frozen
class Progress:
    """How far a request has come."""

    sentence: int
    """The sentence that is being synthesized, from 0."""
    sentences: int
    frames: int
    """Frames of it that the AR stage has drawn, over all attempts.

    On a GPU a few of them may be dropped (`synthesis.look_every`).
    """
    levels: int
    """Levels of it that the NAR stage has written."""


OnProgress = Callable[[Progress], None]


class Session(Iterator[Chunk]):
    """Chunks of audio; joined they are what `synthesize` gives for the same request and seed.

    A sentence sounds once its first window is written (`synthesis.window_seconds`); without a
    window once its last level is, since the NAR stage reads all of it. Later sentences are
    phonemized and synthesized only as far as chunks are asked for.
    """

    def __init__(
        self,
        plan: Plan,
        decoder: Decoder,
        codec: Codec,
        context: Context,
        *,
        chunk_seconds: float,
        effects: Effects,
        keep_audio: bool = True,
        on_progress: OnProgress = lambda _: None,
    ) -> None:
        """Without `keep_audio` only the last chunk is kept, so that memory stays flat."""
        self.plan = plan
        self._decoder = decoder
        self._codec = codec
        self._context = context
        self._chunk_seconds = chunk_seconds
        self._keep_audio = keep_audio
        self._on_progress = on_progress
        self._timer = _Timer()
        self._sentences: list[Sentence] = []
        self._chunks: list[Chunk] = []
        self._samples = 0
        self._previous: tuple[Job, Decoded] | None = None
        self._effects = effects.stream(codec.sample_rate, self.provenance)
        self._audio = self._speak()

    @property
    def seed(self) -> int:
        return self.plan.seed

    @property
    def sample_rate(self) -> int:
        return self._codec.sample_rate

    @property
    def provenance(self) -> dict[str, Any]:
        """How the audio is made: text, voice, seed, hashes and versions."""
        return {**self.plan.provenance, "seed": self.seed}

    def __next__(self) -> Chunk:
        with self._timer.adding("total"):
            chunk = next(self._audio)
        self._timer.sounds()
        return chunk

    def read(self) -> None:
        """Phonemize the whole text now: what cannot be spoken is a `TextError` before any work."""
        with self._timer.adding("total"):
            self.plan.jobs()

    def result(self) -> Result:
        """What has been made so far: the whole, once there are no more chunks."""
        waveforms = [chunk.audio for chunk in self._chunks]
        return Result(
            audio=np.concatenate(waveforms) if waveforms else np.zeros(0, np.float32),
            sample_rate=self.sample_rate,
            seed=self.seed,
            sentences=tuple(self._sentences),
            timings=self._timer.timings(),
            warnings=(*self.plan.warnings, *(s.warning for s in self._sentences if s.warning)),
            provenance=self.provenance,
            samples=self._samples,
        )

    def stop(self) -> Chunk | None:
        """End before the text does: the audio that effects still hold back, if any."""
        rest = self._effects.flush()
        return self._chunk(rest, max(0, len(self._sentences) - 1)) if len(rest) else None

    def job(self, place: int) -> Job:
        """A sentence as it continues from the one that was synthesized last."""
        return self._context.follow(self.plan.job(place), self._previous)

    def add(self, decoded: Decoded) -> None:
        """Take the next sentence from a batch, in which it was decoded."""
        self._timer.total += decoded.ar_seconds + decoded.nar_seconds
        chunks = self._play(_at_once(decoded))
        more = True
        while more:
            with self._timer.adding("total"):
                more = next(chunks, None) is not None
            self._timer.sounds()

    def _speak(self) -> Iterator[Chunk]:
        for place in range(len(self.plan)):
            steps = _Steps(place, len(self.plan), self._on_progress)
            yield from self._play(self._decoder.blocks(self.job(place), steps))

    def _play(self, blocks: Blocks) -> Iterator[Chunk]:
        """The audio of the next sentence and the pause after it."""
        place = len(self._sentences)
        job = self.plan.job(place)
        decoded = yield from self._decode(blocks, place)
        self._note(job, decoded)
        if silence := round(job.pause / self.plan.speed * self.sample_rate):
            yield from self._sound(np.zeros(silence, np.float32), place)
        if place + 1 == len(self.plan) and (rest := self.stop()):
            yield rest

    def _decode(self, blocks: Blocks, place: int) -> Generator[Chunk, None, Decoded]:
        """Audio of at most `chunk_seconds` at a time, as soon as its codes are there."""
        step = max(1, round(self._chunk_seconds * self._codec.frame_rate))
        stream, stretch = self._codec.stream(), TimeStretch(self.plan.speed, self.sample_rate)
        while True:
            try:
                block = next(blocks)
            except StopIteration as end:
                decoded: Decoded = end.value
                break
            for codes in torch.split(block[None].to(device_of(self._codec)), step, dim=-1):
                with self._timer.adding("codec"), torch.inference_mode():
                    audio = stretch.push(_samples(stream.push(codes)))
                yield from self._sound(audio, place)
        with self._timer.adding("codec"), torch.inference_mode():
            audio = np.concatenate([stretch.push(_samples(stream.flush())), stretch.flush()])
        yield from self._sound(audio, place)
        return decoded

    def _note(self, job: Job, decoded: Decoded) -> None:
        self._previous = job, decoded
        fault = job.bounds.fault(decoded.frames, decoded.ended, self._codec.frame_rate)
        if fault:
            quoted = job.text if len(job.text) <= QUOTED else f"{job.text[:QUOTED]}..."
            fault = f"sentence {job.place + 1} of {len(self.plan)} {fault}: {quoted!r}"
        self._sentences.append(
            Sentence(
                job.text,
                job.phonemes,
                to_codes(decoded.codes, self._codec),
                decoded.ended,
                decoded.attempt,
                fault,
                decoded.effort,
            )
        )
        self._timer.ar += decoded.ar_seconds
        self._timer.nar += decoded.nar_seconds

    def _sound(self, audio: Waveform, place: int) -> Iterator[Chunk]:
        """The only way out: all audio passes the effects."""
        if len(audio) and len(heard := self._effects.push(audio)):
            yield self._chunk(heard, place)

    def _chunk(self, audio: Waveform, place: int) -> Chunk:
        if not self._keep_audio:
            self._chunks.clear()
        self._chunks.append(Chunk(audio, self.sample_rate, place))
        self._samples += len(audio)
        return self._chunks[-1]


class _Steps:
    """Counts the decoding steps of a sentence, and reports each."""

    def __init__(self, place: int, sentences: int, on_progress: OnProgress) -> None:
        self._place = place
        self._sentences = sentences
        self._report = on_progress
        self._counts = {"frame": 0, "level": 0}

    def __call__(self, step: Literal["frame", "level"]) -> None:
        self._counts[step] += 1
        frames, levels = self._counts.values()
        self._report(Progress(self._place, self._sentences, frames, levels))


@define(eq=False)
class _Timer:
    """Seconds of work of one request; what the caller does between chunks is not counted."""

    ar: float = 0.0
    nar: float = 0.0
    codec: float = 0.0
    first_audio: float = 0.0
    total: float = 0.0

    @contextmanager
    def adding(self, name: Literal["codec", "total"]) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            setattr(self, name, getattr(self, name) + perf_counter() - started)

    def sounds(self) -> None:
        """There is audio; only the first time counts."""
        self.first_audio = self.first_audio or self.total

    def timings(self) -> Timings:
        return Timings(self.ar, self.nar, self.codec, self.first_audio, self.total)


def _at_once(decoded: Decoded) -> Blocks:
    yield decoded.codes
    return decoded


def _samples(audio: torch.Tensor) -> Waveform:
    """The samples (s,) of a piece of a codec's stream (1, 1, s)."""
    return audio[0, 0].float().clamp(-1.0, 1.0).cpu().numpy()
