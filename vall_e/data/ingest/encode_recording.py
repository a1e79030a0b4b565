"""Converts a recording to what a dataset stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from attrs import field, frozen

from vall_e.audio.loudness import levelled
from vall_e.codec.encode import encode
from vall_e.data.dataset.manifest import Info
from vall_e.data.ingest.object_storage import fetched
from vall_e.data.ingest.options import IngestOptions
from vall_e.data.ingest.recordings import Recording
from vall_e.data.ingest.rules import MAX_SECONDS, sound_problem, transcript_problem
from vall_e.data.ingest.segments import read_part
from vall_e.device import find_device, place_codec
from vall_e.errors import AudioError, DataError, VallEError
from vall_e.interfaces.codec import Codec
from vall_e.text.front_end import FrontEnd
from vall_e.text.languages import among

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig


class PhonemeFrontEnd(Protocol):
    """What preparation needs from a text front end."""

    def phonemes(self, text: str, language: str) -> str: ...


@frozen(eq=False)
class Prepared:
    """`codes` are int16 (frames, levels), in the order of the file."""

    recording: Recording
    language: str
    phonemes: str
    seconds: float
    codes: np.ndarray = field(repr=False)


@frozen
class SkippedRecording:
    """A recording that is left out of the dataset."""

    recording: Recording
    reason: str


@frozen(eq=False)
class Preparer:
    """Reads, checks, encodes and phonemizes. `language` is that of all recordings, if given.

    With `voices_only` texts are ignored: every text is empty.
    `level` is the loudness, in dB of full scale, that all recordings are normalized to.
    """

    codec: Codec
    front_end: PhonemeFrontEnd
    phonemizer: str
    languages: tuple[str, ...]
    language: str | None = None
    max_seconds: float = MAX_SECONDS
    voices_only: bool = False
    level: float | None = None
    varieties: tuple[str, ...] = ()
    """The languages that the phonemizer distinguishes; empty: it accepts every code."""

    @property
    def info(self) -> Info:
        return Info(
            codec=self.codec.identity,
            frame_rate=float(self.codec.frame_rate),
            sample_rate=self.codec.sample_rate,
            levels=self.codec.levels,
            codebook_size=self.codec.codebook_size,
            phonemizer=self.phonemizer,
        )

    def __call__(self, recording: Recording) -> Prepared | SkippedRecording:
        try:
            return self._prepared(recording)
        except VallEError as exc:
            return SkippedRecording(recording, exc.message)

    def _prepared(self, recording: Recording) -> Prepared:
        if problem := transcript_problem(recording, voices_only=self.voices_only):
            raise DataError(problem)
        language = self._language(recording)
        phonemes = self._phonemes(recording, language)
        with fetched(recording) as path:
            clip = read_part(path, recording.start, recording.end).mono()
        if problem := sound_problem(clip, max_seconds=self.max_seconds):
            raise AudioError(problem)
        if self.level is not None:
            clip = levelled(clip, self.level)
        return Prepared(
            recording=recording,
            language=language,
            phonemes=phonemes,
            seconds=clip.seconds,
            codes=np.ascontiguousarray(encode(clip, self.codec).values.T.astype("<i2")),
        )

    def _phonemes(self, recording: Recording, language: str) -> str:
        if self.voices_only:
            return ""
        if not recording.text:  # a folder of noise that is processed as speech
            raise DataError("it has no transcript")
        return self.front_end.phonemes(recording.text, language)

    def _language(self, recording: Recording) -> str:
        """One of the run's languages; a variety such as `en-gb` does not match `en-us`."""
        wanted = self.language or recording.language or self.languages[0]
        found = among(wanted, self.languages, self.varieties)
        if found is None:
            raise DataError(
                f"its language {wanted!r} is not in text.languages {list(self.languages)}"
            )
        return found


def make_preparer(config: RunConfig, options: IngestOptions) -> Preparer:
    """The preparer for a run's codec and text settings."""
    front_end = FrontEnd.of(config.text)
    known, varieties = config.text.languages, tuple(front_end.languages)
    if options.language and among(options.language, known, varieties) is None:
        raise DataError(
            f"--language {options.language!r} is not in text.languages {list(known)}",
            hint=f"use one of {', '.join(known)}, or add it to text.languages",
        )
    return Preparer(
        codec=place_codec(config.codec.build(), find_device(options.device, option="--device")),
        front_end=front_end,
        phonemizer=config.text.phonemizer.component.name,
        languages=known,
        language=options.language,
        max_seconds=options.max_seconds,
        voices_only=options.voices_only,
        level=options.level,
        varieties=varieties,
    )
