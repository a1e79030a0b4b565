"""`POST /v1/audio/speech`: whole files, streams, and server-sent events."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
from attrs import define
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse

from vall_e.audio.encoding import encode
from vall_e.audio.pcm import as_pcm16
from vall_e.audio.wav_stream import WavStream
from vall_e.errors import VallEError
from vall_e.server.errors import INTERNAL, RequestError, error_response
from vall_e.server.metrics import ServerMetrics
from vall_e.server.options import ServerOptions
from vall_e.server.speech_queue import Begun, JobStoppedError, SpeechJob, SpeechQueue
from vall_e.server.wire import PCM, STREAMED, SpeechBody, parsed
from vall_e.synthesis.result import Chunk, Result, note

MEDIA_TYPES = {
    "pcm": "audio/pcm",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
}
LOOK_SECONDS = 0.2
"""How often it is looked whether the client of a whole file is still there."""
NO_BUFFER = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
"""Proxies must pass a stream on as it comes."""


@define(eq=False)
class SpeechRoutes:
    """Speaks requests through the queue."""

    queue: SpeechQueue
    options: ServerOptions
    metrics: ServerMetrics
    model: str
    read_body: Callable[[HttpRequest], Awaitable[bytes]]

    async def speech(self, http: HttpRequest) -> Response:
        body = SpeechBody.of(parsed(await self.read_body(http)), self.options)
        job, headers = self._submit(body)
        first = await self._next(job, http)
        assert isinstance(first, Begun)  # noqa: S101 - a job begins before all else
        self.metrics.queue_seconds.observe(first.waited_seconds)
        if body.stream_format == "sse":
            events = self._events(job, body)
            return StreamingResponse(
                events, media_type="text/event-stream", headers=headers | NO_BUFFER
            )
        if body.response_format in STREAMED:
            return StreamingResponse(
                self._bytes(job, first, body.response_format),
                media_type=_media_type(body.response_format, first),
                headers=headers | NO_BUFFER,
            )
        result = await self._whole(job, http)
        return Response(
            _encoded(result, body.response_format),
            media_type=MEDIA_TYPES[body.response_format],
            headers=headers | _facts(result),
        )

    async def batch(self, http: HttpRequest) -> Response:
        """Several texts; an item that fails has its error in its place."""
        raw = parsed(await self.read_body(http))
        items = raw.get("items") if isinstance(raw, dict) else None
        if not isinstance(items, list) or not 0 < len(items) <= self.options.max_batch:
            raise RequestError(
                f"the body must be {{items: [...]}} with 1 to {self.options.max_batch} items",
                param="items",
            )
        answers = []
        for item in items:
            try:
                answers.append(await self._one(item, http))
            except VallEError as exc:
                error = error_response(exc)
                answers.append({"status": error.status_code, **json.loads(bytes(error.body))})
        return JSONResponse({"object": "list", "data": answers})

    async def _one(self, item: object, http: HttpRequest) -> dict[str, object]:
        body = SpeechBody.of(item, self.options)
        job, headers = self._submit(body)
        result = await self._whole(job, http)
        return {
            "status": 200,
            "audio": base64.b64encode(_encoded(result, body.response_format)).decode(),
            "format": body.response_format,
            "seconds": round(result.seconds, 3),
            "seed": result.seed,
            "voice": headers["X-Voice"],
        }

    def _submit(self, body: SpeechBody) -> tuple[SpeechJob, dict[str, str]]:
        if body.model not in ("", self.model):
            raise RequestError(
                f"there is no model {body.model!r}",
                hint=f"this server has {self.model}",
                status=404,
                param="model",
                code="model_not_found",
            )
        name = body.voice_name
        known = [entry.name for entry in self.queue.synthesizer.voices.entries()]
        if name is not None and name not in known:  # never a path
            raise RequestError(
                f"there is no voice {name!r}",
                hint=f"the voices are {', '.join(known)}",
                param="voice",
                code="voice_not_found",
            )
        seed = secrets.randbelow(2**31) if body.seed is None else body.seed
        job = self.queue.submit(body.request(name, seed), seconds=self.options.deadline_seconds)
        voice = name or self.queue.synthesizer.default_voice or ""
        return job, {"X-Seed": str(seed), "X-Model": self.model, "X-Voice": voice}

    async def _next(self, job: SpeechJob, http: HttpRequest | None = None) -> object:
        """The next event. Raises the job's error; stops the job if the client has gone."""
        while True:
            try:
                event = await asyncio.wait_for(job.events.get(), LOOK_SECONDS)
            except TimeoutError:
                if http is not None and await http.is_disconnected():
                    self._stop(job)
                    raise RequestError("the client has gone", status=499) from None
                continue
            if isinstance(event, JobStoppedError):
                raise RequestError("the request was stopped", status=499)
            if isinstance(event, VallEError):
                raise event
            if isinstance(event, BaseException):
                raise RequestError(
                    "the server failed", status=500, kind=INTERNAL, hint="its log says why"
                ) from event
            return event

    def _stop(self, job: SpeechJob) -> None:
        job.stop()
        self.metrics.stopped.inc()

    async def _whole(self, job: SpeechJob, http: HttpRequest) -> Result:
        async for event in self._played(job, http):
            if isinstance(event, Result):
                return event
        raise AssertionError("a job ends with its result")

    async def _played(
        self, job: SpeechJob, http: HttpRequest | None = None
    ) -> AsyncIterator[Chunk | Result]:
        """Chunks, then the result; the job ends if its reader does."""
        ended, first = False, True
        try:
            while not ended:
                event = await self._next(job, http)
                if isinstance(event, Chunk) and first:
                    self.metrics.first_audio_seconds.observe(time.monotonic() - job.submitted)
                    first = False
                if isinstance(event, Result):
                    self.metrics.audio_seconds.inc(event.seconds)
                    ended = True
                if isinstance(event, (Chunk, Result)):
                    yield event
        finally:
            if not ended:
                self._stop(job)

    async def _bytes(self, job: SpeechJob, begun: Begun, format_: str) -> AsyncIterator[bytes]:
        """The file while it is spoken; the note of its making is in the header of a wav."""
        sink = _Sink()
        wav = (
            None
            if format_ == PCM
            else WavStream(sink, begun.session.sample_rate, note(begun.session.provenance))
        )
        yield sink.taken()
        async for event in self._played(job):
            if isinstance(event, Chunk):
                if wav is None:
                    yield _pcm(event.audio)
                else:
                    wav.write(event.audio)
                    yield sink.taken()

    async def _events(self, job: SpeechJob, body: SpeechBody) -> AsyncIterator[bytes]:
        """`speech.audio.delta` with audio in base64, then `speech.audio.done` with the usage."""
        try:
            async for event in self._played(job):
                if isinstance(event, Chunk) and body.response_format == PCM:
                    yield _event("speech.audio.delta", audio=_base64(_pcm(event.audio)))
                if isinstance(event, Result):
                    if body.response_format != PCM:
                        data = _encoded(event, body.response_format)
                        yield _event("speech.audio.delta", audio=_base64(data))
                    yield _event("speech.audio.done", usage=_usage(body, event))
        except VallEError as exc:  # too late for a status
            error = json.loads(bytes(error_response(exc).body))
            yield _event("error", **error)


class _Sink(io.BytesIO):
    """A file that cannot seek, whose bytes are taken away."""

    def seekable(self) -> bool:
        return False

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = self.getvalue()
        super().seek(0)
        self.truncate()
        return data


def _media_type(format_: str, begun: Begun) -> str:
    rate = begun.session.sample_rate
    return f"audio/pcm;rate={rate};channels=1" if format_ == PCM else MEDIA_TYPES[format_]


def _pcm(audio: np.ndarray) -> bytes:
    return as_pcm16(audio).astype("<i2").tobytes()


def _encoded(result: Result, format_: str) -> bytes:
    if format_ == PCM:
        return _pcm(result.audio)
    return encode(result.audio, result.sample_rate, format_, note(result.provenance))


def _facts(result: Result) -> dict[str, str]:
    record = json.dumps(dict(result.provenance), sort_keys=True, default=str)
    return {
        "X-Seconds": f"{result.seconds:.3f}",
        "X-Provenance-Id": hashlib.sha256(record.encode()).hexdigest()[:32],
    }


def _usage(body: SpeechBody, result: Result) -> dict[str, int]:
    """Characters in, codec frames out."""
    spoken = sum(sentence.codes.frames for sentence in result.sentences)
    return {
        "input_tokens": len(body.input),
        "output_tokens": spoken,
        "total_tokens": len(body.input) + spoken,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _event(kind: str, **fields: object) -> bytes:
    return f"data: {json.dumps({'type': kind, **fields})}\n\n".encode()
