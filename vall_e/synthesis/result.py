"""The result of a synthesis: audio, and everything that is known about it."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from attrs import Factory, asdict, field, frozen
from numpy.typing import NDArray

from vall_e.atomic_write import write_atomically
from vall_e.audio.audio_file import open_audio
from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.audio.encoding import Note
from vall_e.damaged_files import parse_json
from vall_e.decoding.ar.layer_stats import Effort
from vall_e.errors import AudioError

Waveform = NDArray[np.float32]


@frozen(eq=False)
class Chunk:
    """Audio (s,) of a stream; all chunks joined are the audio of the result."""

    audio: Waveform
    sample_rate: int
    sentence: int
    """The sentence of the text that it belongs to, from 0."""

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.sample_rate


@frozen(eq=False)
class Sentence:
    """One sentence of the text, with its phonemes and codes."""

    text: str
    phonemes: str
    codes: Codes
    ended: bool
    """The model wrote the stop token; otherwise the sentence was cut off."""
    attempt: int
    """The attempt that succeeded, from 0."""
    warning: str
    """Why it looks like a failure; empty if it does not."""
    effort: Effort = field(factory=Effort)
    """Statistics of `sampling.speculative` or `sampling.exit`."""


@frozen
class Timings:
    """Seconds of work; what the caller of a stream does between chunks is not counted.

    In a batch, a stage's time is divided evenly among its sentences.
    """

    ar_seconds: float
    nar_seconds: float
    codec_seconds: float
    first_audio_seconds: float
    """Until the first chunk."""
    total_seconds: float


@frozen
class TextResult:
    """The output of a task that writes text."""

    phonemes: str
    """Empty for a task that writes letters."""
    language: str
    ended: bool
    """The model ended the text; otherwise it was cut off."""
    spelling: str = ""
    """Letters, from a task that writes them."""

    @property
    def text(self) -> str:
        return self.spelling or self.phonemes


@frozen(eq=False, repr=False)
class Result:
    """Synthesized speech."""

    audio: Waveform
    """(s,) in [-1, 1]; only the last chunk of a stream with `keep_audio=False`."""
    sample_rate: int
    seed: int
    """Gives the same audio again with the same model, text, voice and options."""
    sentences: tuple[Sentence, ...]
    timings: Timings
    warnings: tuple[str, ...]
    provenance: Mapping[str, Any]
    """Text, voice, hashes of model and config, versions: the record of how the audio was made."""
    samples: int = field(default=Factory(lambda self: len(self.audio), takes_self=True))
    """Samples made, kept or not."""

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate

    @property
    def rtf(self) -> float:
        """Real-time factor: seconds of work per second of audio."""
        return self.timings.total_seconds / self.seconds if self.seconds else float("inf")

    @property
    def codes(self) -> Codes:
        """Codes of all sentences, without the pauses between them."""
        return Codes.join([sentence.codes for sentence in self.sentences])

    @property
    def clip(self) -> Clip:
        return Clip(self.audio, self.sample_rate)

    def save(self, path: str | Path | BinaryIO, *, format: str | None = None) -> None:  # noqa: A002
        """Write wav, flac, ogg, opus or mp3, by the suffix; a file appears whole or not at all.

        The file's metadata state that it is synthetic speech.
        """
        self.clip.write(path, format, note=note(self.provenance))

    def __repr__(self) -> str:
        return f"<Result: {self.seconds:.2f} s at {self.sample_rate} Hz, seed {self.seed}>"

    def _repr_html_(self) -> str:
        """A player, in a notebook."""
        wav = BytesIO()
        self.save(wav, format="wav")
        data = b64encode(wav.getvalue()).decode()
        return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'

    def to_json(self) -> dict[str, Any]:
        """The output of `vall-e synth --json`: everything but audio and codes."""
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


MARK = "synthetic speech, made by vall-e: "
"""Begins the comment of an audio file; its provenance follows as JSON."""
TAGGED = (
    *("language", "voice", "consent", "seed", "speed", "effects"),
    *("model", "nar", "config", "codec"),
)
"""What an audio file's comment states of its provenance, besides the text."""
LONGEST_TEXT = 500
"""Characters; of a longer text the comment has the hash."""


def note(provenance: Mapping[str, Any]) -> Note:
    """The comment and software tags of an audio file, which travel with it."""
    text = str(provenance.get("text", ""))
    stated = {name: provenance[name] for name in TAGGED if name in provenance}
    if len(text) <= LONGEST_TEXT:
        stated["text"] = text
    else:
        stated["text_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    comment = MARK + json.dumps(stated)  # ASCII: the tags of MP3 files are Latin-1
    return Note(comment=comment, software=_software())


def provenance_in(path: Path | str) -> dict[str, Any] | None:
    """What the comment of an audio file states of how it was made; None: it is not of vall-e.

    A record for honest users, not a proof: anybody can change a comment. Raises `AudioError`.
    """
    with open_audio(Path(path)) as file:
        comment = file.comment
    if not comment.startswith(MARK):
        return None
    try:
        found = parse_json(comment.removeprefix(MARK))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _software() -> str:
    return f"vall-e {metadata.version('vall-e')}"


def write_record(result: Result, audio: Path) -> Path:
    """Write `hello.wav.json` beside `hello.wav`: provenance and the hash of the audio."""
    record = {
        "synthetic": True,
        "made_by": _software(),
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
