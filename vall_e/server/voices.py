"""`/v1/audio/voices`: list voices, add one with its speaker's consent, remove one."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import define, frozen
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from vall_e.server.errors import RequestError
from vall_e.server.options import ServerOptions
from vall_e.server.wire import parsed
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.synthesis.voice_library import NAME, VoiceEntry

FIELDS = ("name", "consent", "text", "audio_sample")
SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


@frozen
class NewVoice:
    """A voice to add. `consent`: who allowed it to be used, and for what."""

    name: str
    consent: str
    text: str
    audio: bytes
    suffix: str

    def require(self) -> None:
        if not NAME.fullmatch(self.name):
            raise RequestError(
                f"{self.name!r} is not a name for a voice",
                hint="use small letters, digits, hyphens and underscores",
                param="name",
            )
        if not self.consent.strip():
            raise RequestError(
                "the field 'consent' is missing",
                hint="say who allowed the voice to be used, and for what",
                param="consent",
            )
        if not self.audio:
            raise RequestError("the field 'audio_sample' is empty", param="audio_sample")


@define(eq=False)
class VoiceRoutes:
    """Voices of one server; `synthesizer.voices` keeps them."""

    synthesizer: Synthesizer
    options: ServerOptions
    read_body: Callable[[HttpRequest], Awaitable[bytes]]

    async def list(self, http: HttpRequest) -> Response:
        entries = self.synthesizer.voices.entries()
        return JSONResponse({"object": "list", "data": [_shown(entry) for entry in entries]})

    async def add(self, http: HttpRequest) -> Response:
        voice = await self._read(http)
        voice.require()
        own = [e for e in self.synthesizer.voices.entries() if e.origin == "yours"]
        if len(own) >= self.options.max_voices:
            raise RequestError(
                f"there are {len(own)} voices already", status=403, hint="remove one first"
            )
        entry = await run_in_threadpool(self._keep, voice)
        return JSONResponse(_shown(entry), 201)

    async def remove(self, http: HttpRequest) -> Response:
        name = str(http.path_params["name"])
        known = {entry.name: entry for entry in self.synthesizer.voices.entries()}
        if name not in known:
            raise RequestError(f"there is no voice {name!r}", status=404, code="voice_not_found")
        if known[name].origin != "yours":
            raise RequestError(f"the built-in voice {name!r} stays", status=403)
        await run_in_threadpool(self.synthesizer.voices.remove, name)
        return JSONResponse({"id": name, "object": "audio.voice.deleted", "deleted": True})

    def _keep(self, voice: NewVoice) -> VoiceEntry:
        """Only what can be read as audio, and encoded, is kept."""
        with tempfile.TemporaryDirectory(prefix="vall-e-") as folder:
            path = Path(folder) / f"upload{voice.suffix}"
            path.write_bytes(voice.audio)
            self.synthesizer.voice(path)
            return self.synthesizer.voices.add(
                voice.name, path, text=voice.text, consent=voice.consent
            )

    async def _read(self, http: HttpRequest) -> NewVoice:
        if http.headers.get("content-type", "").startswith("multipart/form-data"):
            return await self._of_form(http)
        raw = parsed(await self.read_body(http))
        if not isinstance(raw, dict) or not all(isinstance(v, str) for v in raw.values()):
            raise RequestError("the body must be an object of texts")
        _require_known(raw)
        try:
            audio = base64.b64decode(raw.get("audio_sample", ""), validate=True)
        except binascii.Error as exc:
            raise RequestError(f"audio_sample is not base64: {exc}", param="audio_sample") from exc
        return NewVoice(
            raw.get("name", ""), raw.get("consent", ""), raw.get("text", ""), audio, ".wav"
        )

    async def _of_form(self, http: HttpRequest) -> NewVoice:
        async with http.form(max_files=1, max_fields=len(FIELDS)) as form:
            _require_known(dict(form))
            sample = form.get("audio_sample")
            if not isinstance(sample, UploadFile):
                raise RequestError("the file 'audio_sample' is missing", param="audio_sample")
            audio = await sample.read(self.options.max_body_bytes + 1)
            ending = SUFFIX.search(Path(sample.filename or "").suffix.lower())
            return NewVoice(
                str(form.get("name", "")),
                str(form.get("consent", "")),
                str(form.get("text", "")),
                audio,
                ending.group() if ending else ".wav",
            )


def _require_known(given: dict[str, object]) -> None:
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise RequestError(
            f"unknown field {unknown[0]!r}", hint=f"known: {', '.join(FIELDS)}", param=unknown[0]
        )


def _shown(entry: VoiceEntry) -> dict[str, str]:
    """Without its path."""
    return {
        "id": entry.name,
        "object": "audio.voice",
        "name": entry.name,
        "origin": entry.origin,
        "language": entry.language,
        "licence": entry.licence,
        "consent": entry.consent,
    }
