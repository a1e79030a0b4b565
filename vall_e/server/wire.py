"""The JSON bodies of requests. Unknown fields and wrong types are refused by name."""

from __future__ import annotations

import json
import math
from typing import Any

from attrs import Attribute, fields, frozen

from vall_e.audio.encoding import ENCODINGS
from vall_e.errors import VallEError
from vall_e.server.errors import RequestError
from vall_e.server.options import ServerOptions
from vall_e.synthesis.request import Request, VoiceLike

PCM = "pcm"
FORMATS = (PCM, *ENCODINGS)
STREAMED = (PCM, "wav")
"""Formats that are sent while they are spoken; the others are sent whole."""


@frozen
class SpeechBody:
    """The body of `POST /v1/audio/speech`: OpenAI's fields, then ours."""

    input: str
    model: str = ""
    voice: str | dict[str, Any] | None = None
    response_format: str = "mp3"
    speed: float = 1.0
    stream_format: str = "audio"
    instructions: str = ""
    seed: int | None = None
    language: str | None = None
    max_seconds: float | None = None

    @classmethod
    def of(cls, raw: object, options: ServerOptions) -> SpeechBody:
        """Raise `RequestError`, which names the field."""
        if not isinstance(raw, dict):
            raise RequestError("the body must be a JSON object")
        known = {field.name: field for field in fields(cls)}
        unknown = sorted(set(raw) - set(known))
        if unknown:
            raise RequestError(
                f"unknown field {unknown[0]!r}", param=unknown[0], hint=f"known: {', '.join(known)}"
            )
        if "input" not in raw:
            raise RequestError("the field 'input' is missing", param="input")
        body = cls(**{name: _typed(known[name], value) for name, value in raw.items()})
        body._require(options)
        return body

    def _require(self, options: ServerOptions) -> None:
        if not self.input.strip():
            raise RequestError("the input is empty", param="input")
        if len(self.input) > options.max_characters:
            raise RequestError(
                f"the input has {len(self.input)} characters, at most {options.max_characters} "
                "are allowed",
                param="input",
            )
        if self.instructions:
            raise RequestError("this model takes no instructions", param="instructions")
        if self.response_format not in FORMATS:
            raise RequestError(
                f"{self.response_format!r} cannot be written",
                hint=f"the formats are {', '.join(FORMATS)}",
                param="response_format",
            )
        if self.stream_format not in ("audio", "sse"):
            raise RequestError("stream_format is audio or sse", param="stream_format")

    @property
    def voice_name(self) -> str | None:
        """The name of the voice. `RequestError` for another object than `{id: NAME}`."""
        if not isinstance(self.voice, dict):
            return self.voice
        name = self.voice.get("id")
        if set(self.voice) != {"id"} or not isinstance(name, str):
            raise RequestError("voice is a name, or an object {id: NAME}", param="voice")
        return name

    def request(self, voice: VoiceLike | None, seed: int) -> Request:
        """Raise `RequestError` for values that cannot be used."""
        try:
            return Request(
                self.input,
                voice=voice,
                seed=seed,
                language=self.language,
                max_seconds=self.max_seconds,
                speed=self.speed,
            )
        except VallEError as exc:
            raise RequestError(exc.message, hint=exc.hint) from exc


def parsed(body: bytes) -> object:
    """JSON without NaN. Raise `RequestError` for anything else."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise RequestError(f"the body is not JSON: {exc}") from exc


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number of JSON")


def _typed(field: Attribute[Any], value: Any) -> Any:
    """The value, if it has the type of the field; a whole number may stand for any."""
    allowed: dict[str, Any] = {
        "str": str,
        "int": int,
        "float": (int, float),
        "dict[str, Any]": dict,
        "None": type(None),
    }
    names = [name.strip() for name in str(field.type).split("|")]
    for name in names:
        if isinstance(value, allowed[name]) and not isinstance(value, bool):
            if isinstance(value, float) and not math.isfinite(value):
                break
            return value
    raise RequestError(
        f"{field.name!r} must be {' or '.join(names)}, not {value!r:.80}", param=field.name
    )
