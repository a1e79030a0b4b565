"""The application: routes, limits, keys, and the model that it loads."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from attrs import define, field
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vall_e.errors import VallEError
from vall_e.server.errors import AUTHENTICATION, INTERNAL, RequestError, error_response
from vall_e.server.metrics import ServerMetrics
from vall_e.server.options import ServerOptions
from vall_e.server.speech import SpeechRoutes
from vall_e.server.speech_queue import SpeechQueue
from vall_e.server.voices import VoiceRoutes
from vall_e.synthesis.synthesizer import Synthesizer

OPEN_PATHS = ("/health", "/ready")
"""These need no key."""

log = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], Awaitable[Response]]


@define(eq=False)
class Server:
    """One model behind HTTP. `load` opens it while the server already answers `/health`."""

    load: Callable[[], Synthesizer]
    model: str
    options: ServerOptions = field(factory=ServerOptions)
    metrics: ServerMetrics = field(factory=ServerMetrics)
    speech: SpeechRoutes | None = None
    voices: VoiceRoutes | None = None
    failure: str = ""
    began: int = field(factory=lambda: int(time.time()))

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/health", self._handled(self._health)),
                Route("/ready", self._handled(self._ready)),
                Route("/metrics", self._handled(self._metrics)),
                Route("/v1/models", self._handled(self._models)),
                Route("/v1/audio/speech", self._handled(self._speech), methods=["POST"]),
                Route("/v1/audio/speech/batch", self._handled(self._batch), methods=["POST"]),
                Route("/v1/audio/voices", self._handled(self._list_voices), methods=["GET"]),
                Route("/v1/audio/voices", self._handled(self._add_voice), methods=["POST"]),
                Route(
                    "/v1/audio/voices/{name}",
                    self._handled(self._remove_voice),
                    methods=["DELETE"],
                ),
            ],
            middleware=[
                Middleware(
                    CORSMiddleware,
                    allow_origins=list(self.options.origins),
                    allow_methods=["GET", "POST", "DELETE"],
                    allow_headers=["Authorization", "Content-Type"],
                )
            ],
            exception_handlers={HTTPException: _http_error},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        threading.Thread(target=self._open, name="load", daemon=True).start()
        yield
        if self.speech:
            await run_in_threadpool(self.speech.queue.close)

    def _open(self) -> None:
        try:
            synthesizer = self.load()
        except VallEError as exc:
            self.failure = exc.message
            log.error("the model cannot be loaded: %s", exc.message)
            return
        queue = SpeechQueue(
            synthesizer,
            workers=self.options.workers,
            max_queue=self.options.max_queue,
            on_waiting=self.metrics.waiting.set,
        )
        self.voices = VoiceRoutes(synthesizer, self.options, self._body)
        self.speech = SpeechRoutes(queue, self.options, self.metrics, self.model, self._body)

    def _handled(self, handler: Handler) -> Handler:
        """With the key checked, errors as answers, and the answer counted."""

        async def handle(http: HttpRequest) -> Response:
            try:
                self._require_key(http)
                response = await handler(http)
            except VallEError as exc:
                response = error_response(exc)
            except ClientDisconnect:
                response = Response(status_code=499)
            except Exception:
                log.exception("%s failed", http.url.path)
                response = error_response(
                    RequestError("the server failed", status=500, kind=INTERNAL)
                )
            path = http.scope["route"].path
            self.metrics.requests.labels(path, response.status_code).inc()
            return response

        return handle

    def _require_key(self, http: HttpRequest) -> None:
        if not self.options.api_keys or http.url.path in OPEN_PATHS:
            return
        scheme, _, given = http.headers.get("authorization", "").partition(" ")
        # Each key is compared, in constant time, whatever the others gave.
        right = [hmac.compare_digest(given.encode(), key.encode()) for key in self.options.api_keys]
        if scheme.lower() != "bearer" or not any(right):
            raise RequestError(
                "the API key is missing or wrong",
                hint="send Authorization: Bearer KEY",
                status=401,
                kind=AUTHENTICATION,
                code="invalid_api_key",
            )

    async def _body(self, http: HttpRequest) -> bytes:
        """The body, of limited size."""
        most = self.options.max_body_bytes
        body = bytearray()
        async for part in http.stream():
            body += part
            if len(body) > most:
                raise RequestError(f"the body has more than {most} bytes", status=413)
        return bytes(body)

    def _of_model(self) -> tuple[SpeechRoutes, VoiceRoutes]:
        if self.speech is None or self.voices is None:
            why = self.failure or "the model is being loaded"
            raise RequestError(why, status=503, code="not_ready", retry_after=2)
        return self.speech, self.voices

    async def _health(self, http: HttpRequest) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, http: HttpRequest) -> Response:
        speech, _ = self._of_model()
        if speech.queue.draining:
            raise RequestError("the server is shutting down", status=503, code="draining")
        return JSONResponse({"status": "ready"})

    async def _metrics(self, http: HttpRequest) -> Response:
        return PlainTextResponse(self.metrics.text())

    async def _models(self, http: HttpRequest) -> Response:
        model = {"id": self.model, "object": "model", "created": self.began, "owned_by": "vall-e"}
        return JSONResponse({"object": "list", "data": [model]})

    async def _speech(self, http: HttpRequest) -> Response:
        return await self._of_model()[0].speech(http)

    async def _batch(self, http: HttpRequest) -> Response:
        return await self._of_model()[0].batch(http)

    async def _list_voices(self, http: HttpRequest) -> Response:
        return await self._of_model()[1].list(http)

    async def _add_voice(self, http: HttpRequest) -> Response:
        length = http.headers.get("content-length", "")
        if not length.isdecimal():
            raise RequestError("the header Content-Length is missing", status=411)
        if int(length) > self.options.max_body_bytes:
            most = self.options.max_body_bytes
            raise RequestError(f"the body has more than {most} bytes", status=413)
        return await self._of_model()[1].add(http)

    async def _remove_voice(self, http: HttpRequest) -> Response:
        return await self._of_model()[1].remove(http)


async def _http_error(http: HttpRequest, exc: Exception) -> Response:
    """Unknown paths and methods, in the same form as all errors."""
    assert isinstance(exc, HTTPException)  # noqa: S101 - it is registered for these
    return error_response(
        RequestError(f"{http.method} {http.url.path}: {exc.detail}", status=exc.status_code)
    )
