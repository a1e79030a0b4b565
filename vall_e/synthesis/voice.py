"""A voice: the codes of a few seconds of a person's speech, and facts about them."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from attrs import field, frozen
from safetensors import safe_open
from safetensors.numpy import save

from vall_e.atomic_write import write_atomically
from vall_e.audio.codes import Codes, reading_codes
from vall_e.audio.content_hash import require_hash, with_hash
from vall_e.audio.dc_offset import without_offset
from vall_e.audio.loudness import within
from vall_e.audio.silence import trim
from vall_e.audio.speech_detector import may_be_speech
from vall_e.codec.encode import encode
from vall_e.damaged_files import parse_json
from vall_e.errors import AudioError, CheckpointError
from vall_e.synthesis.voice_library import ENCODED

if TYPE_CHECKING:
    from torch import Tensor

    from vall_e.audio.clip import Clip
    from vall_e.interfaces.codec import Codec

FORMAT = 1

log = logging.getLogger(__name__)


@frozen(eq=False)
class Voice:
    """The voice of a request. Encoded from a recording once, used as often as needed."""

    name: str
    codes: Codes
    transcript: str = field(default="", kw_only=True)
    """The words of the recording, if known."""
    consent: str = field(default="", kw_only=True)
    """Who allowed the voice to be used, and for what; a note for people."""
    mixture: tuple[tuple[Codes, float], ...] = field(default=(), kw_only=True)
    """The codes of several voices that are mixed, with their weights; `codes` are the first's."""

    @classmethod
    def of(
        cls,
        clip: Clip,
        codec: Codec,
        *,
        name: str,
        seconds: float,
        decibels: tuple[float, float] = (-math.inf, math.inf),
        transcript: str = "",
        consent: str = "",
    ) -> Voice:
        """Encode the first `seconds` of speech, with a level within `decibels` (dBFS).

        Raises `AudioError` if the clip cannot be used. A clip that does
        not sound like speech only causes a warning, since a whisper does not either.
        """
        usable = trim(without_offset(clip.mono().check()))
        if usable.seconds < SHORTEST_SECONDS:
            raise AudioError(
                f"{clip.name} is too short: {usable.seconds:.2f} s without the silence at its "
                f"ends, at least {SHORTEST_SECONDS:g} s are needed",
                hint="give a longer recording; 3 seconds of speech are good",
            )
        if not may_be_speech(usable):
            log.warning(
                "no speech found in %s: the voice will be unpredictable; give a recording of "
                "one speaker, without music",
                clip.name,
            )
        codes = encode(within(usable.cut(0.0, seconds), decibels), codec)
        return cls(name, codes, transcript=transcript, consent=consent)

    def require(self, codec: str) -> None:
        """Raise `CheckpointError` if the codes are not of the codec with this identity."""
        for codes in (self.codes, *(codes for codes, _ in self.mixture)):
            if codes.codec == codec:
                continue
            raise CheckpointError(
                f"voice {self.name!r} has codes of {codes.codec}, the model speaks {codec}",
                hint="encode the voice again from its recording, with this model",
            )

    def prompt(self, seconds: float) -> Tensor:
        """The codes (k, f) of the first `seconds`; for a mixture, as many as every voice has."""
        return self._first(self.codes, seconds)

    def mix(self, seconds: float) -> tuple[tuple[Tensor, float], ...]:
        """As `prompt`, for each voice of a mixture, with its weight."""
        return tuple((self._first(codes, seconds), weight) for codes, weight in self.mixture)

    def _first(self, codes: Codes, seconds: float) -> Tensor:
        shared = min(c.values.shape[1] for c in (self.codes, *(c for c, _ in self.mixture)))
        frames = min(shared, max(1, round(seconds * codes.frame_rate)))
        return torch.from_numpy(codes.values[:, :frames].astype("int64"))

    def save(self, path: str | Path) -> None:
        """Write a safetensors file; it appears whole or not at all."""
        if self.mixture:
            raise AudioError(
                f"voice {self.name!r} is a mixture, and a voice file holds one voice",
                hint="save the voices one by one, and mix them when speaking",
            )
        metadata = {
            "vall_e.voice": json.dumps(FORMAT),
            "name": self.name,
            "codec": self.codes.codec,
            "frame_rate": repr(self.codes.frame_rate),
            "sample_rate": repr(self.codes.sample_rate),
            "transcript": self.transcript,
            "consent": self.consent,
        }
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {"codes": np.ascontiguousarray(self.codes.values)}
        data = save(tensors, with_hash(tensors, metadata))
        write_atomically(path, data, error=AudioError)

    @classmethod
    def load(cls, path: str | Path) -> Voice:
        """Read what `save` wrote."""
        path = Path(path)
        if not path.is_file():
            raise AudioError(f"there is no voice file {path}", hint="check the path")
        with reading_codes(path, AudioError):
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                _check_format(metadata, path)
                values = file.get_tensor("codes")
                require_hash({"codes": values}, metadata, path)
            codes = Codes(
                values=values,
                codec=metadata["codec"],
                frame_rate=float(metadata["frame_rate"]),
                sample_rate=int(metadata["sample_rate"]),
            )
            if not codes.frames or not len(codes.values):
                raise ValueError("it has no codes")
        return cls(
            metadata.get("name", path.name.removesuffix(ENCODED)),
            codes,
            transcript=metadata.get("transcript", ""),
            consent=metadata.get("consent", ""),
        )


SHORTEST_SECONDS = 0.5
"""Shorter recordings do not characterize a voice."""


def _check_format(metadata: dict[str, str], path: Path) -> None:
    if "vall_e.voice" not in metadata:
        raise AudioError(
            f"{path} is not a voice file", hint="give a recording, or a file that Voice.save wrote"
        )
    if parse_json(metadata["vall_e.voice"]) > FORMAT:
        raise AudioError(
            f"{path} has voice format {metadata['vall_e.voice']}, this version reads {FORMAT}",
            hint="update vall-e",
        )
