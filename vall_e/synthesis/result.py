"""What a synthesis gives: audio, and everything that tells how it came about."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from attrs import Factory, asdict, field, frozen
from numpy.typing import NDArray

from vall_e.atomic_write import write_atomically
from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.audio.encoding import Note
from vall_e.decoding.ar.layer_stats import Effort
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path


Waveform = NDArray[np.float32]


@frozen(eq=False)
class Chunk:
    """Audio (s,) of a stream; all chunks joined are the audio of the result."""

    audio: Waveform
    sample_rate: int
    sentence: int
    """Which sentence of the text it belongs to, from 0."""

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.sample_rate


@frozen(eq=False)
class Sentence:
    """One piece of the text, as it was read and written."""

    text: str
    phonemes: str
    codes: Codes
    ended: bool
    """The model ended it by itself."""
    attempt: int
    """Which attempt it is, from 0."""
    warning: str
    """Why it looks like a failure; empty if it does not."""
    effort: Effort = field(factory=Effort)
    """With `sampling.speculative` or `sampling.exit`: what they did."""


@frozen
class Timings:
    """Seconds of work; what the user of a stream does between chunks is not counted.

    In a batch a stage's time is shared out evenly among its sentences.
    """

    ar_seconds: float
    nar_seconds: float
    codec_seconds: float
    first_audio_seconds: float
    """Until the first chunk was there."""
    total_seconds: float


@frozen
class TextResult:
    """What a task wrote that writes text."""

    phonemes: str
    """Empty if it writes letters."""
    language: str
    ended: bool
    """The model ended it by itself; else it was cut off."""
    spelling: str = ""
    """Of a task that writes letters."""

    @property
    def text(self) -> str:
        return self.spelling or self.phonemes


@frozen(eq=False, repr=False)
class Result:
    """A spoken text."""

    audio: Waveform
    """(s,) in [-1, 1]; of a stream that does not keep it, the last chunk."""
    sample_rate: int
    seed: int
    """With the same model, text, voice and options it gives the same audio again."""
    sentences: tuple[Sentence, ...]
    timings: Timings
    warnings: tuple[str, ...]
    provenance: Mapping[str, Any]
    """Text, voice, hashes of model and config, versions: what to note beside the audio."""
    samples: int = field(default=Factory(lambda self: len(self.audio), takes_self=True))
    """Of all that was made, kept or not."""

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate

    @property
    def rtf(self) -> float:
        """Seconds of work for a second of audio."""
        return self.timings.total_seconds / self.seconds if self.seconds else float("inf")

    @property
    def codes(self) -> Codes:
        """Of all sentences, without the pauses between them."""
        return Codes.join([sentence.codes for sentence in self.sentences])

    @property
    def clip(self) -> Clip:
        return Clip(self.audio, self.sample_rate)

    def save(self, path: str | Path | BinaryIO, *, format: str | None = None) -> None:  # noqa: A002
        """Write wav, flac, ogg or mp3, as the suffix says; a file appears whole or not at all.

        Its metadata say that it is synthetic speech.
        """
        self.clip.write(path, format, note=note())

    def __repr__(self) -> str:
        return f"<Result: {self.seconds:.2f} s at {self.sample_rate} Hz, seed {self.seed}>"

    def _repr_html_(self) -> str:
        """A player, in a notebook."""
        wav = BytesIO()
        self.save(wav, format="wav")
        data = b64encode(wav.getvalue()).decode()
        return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'

    def to_json(self) -> dict[str, Any]:
        """What `vall-e synth --json` prints, without audio and codes."""
        return {
            "seconds": round(self.seconds, 3),
            "sample_rate": self.sample_rate,
            "seed": self.seed,
            "rtf": round(self.rtf, 3),
            "timings": {name: round(value, 4) for name, value in asdict(self.timings).items()},
            "sentences": [
                {
                    "text": sentence.text,
                    "phonemes": sentence.phonemes,
                    "frames": sentence.codes.values.shape[1],
                    "ended": sentence.ended,
                    "attempt": sentence.attempt,
                    **sentence.effort.plain(),
                }
                for sentence in self.sentences
            ],
            "warnings": list(self.warnings),
            "provenance": dict(self.provenance),
        }


def note() -> Note:
    """For the metadata of an audio file: players show it."""
    version = metadata.version("vall-e")
    return Note(comment="synthetic speech, made by vall-e", software=f"vall-e {version}")


def write_record(result: Result, audio: Path) -> Path:
    """Write `hello.wav.json` beside `hello.wav`: what made it, and the hash that ties it to it."""
    record = {
        "synthetic": True,
        "made_by": note().software,
        "audio": {
            "file": audio.name,
            "sha256": hashlib.sha256(audio.read_bytes()).hexdigest(),
            "seconds": round(result.seconds, 3),
            "sample_rate": result.sample_rate,
        },
        **result.provenance,
        "warnings": list(result.warnings),
    }
    path = audio.with_name(f"{audio.name}.json")
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(), error=AudioError)
    return path
