"""A bounded queue of requests, and the threads that speak them."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable

from attrs import Factory, define, field, frozen

from vall_e.errors import VallEError
from vall_e.server.errors import LIMIT, RequestError
from vall_e.synthesis.request import Request
from vall_e.synthesis.result import Chunk, Result
from vall_e.synthesis.session import Session
from vall_e.synthesis.synthesizer import Synthesizer

log = logging.getLogger(__name__)


class JobStoppedError(Exception):
    """The client went away, or the deadline passed: raised between two frames."""


@frozen(eq=False)
class Begun:
    """The first thing that a job gives: what is known before any audio."""

    session: Session
    waited_seconds: float


Event = Begun | Chunk | Result | BaseException


@define(eq=False)
class SpeechJob:
    """A request that waits or is being spoken. Its events are read by the event loop."""

    request: Request
    deadline: float
    loop: asyncio.AbstractEventLoop
    submitted: float = Factory(time.monotonic)
    stopped: threading.Event = field(factory=threading.Event)
    events: asyncio.Queue[Event] = field(factory=asyncio.Queue)

    def stop(self) -> None:
        """End it within a frame, or before it begins."""
        self.stopped.set()

    def require_running(self) -> None:
        if self.stopped.is_set():
            raise JobStoppedError
        if time.monotonic() > self.deadline:
            raise RequestError(
                "the request took too long and was stopped", status=504, code="deadline"
            )

    def give(self, event: Event) -> None:
        """Called in the thread that speaks."""
        try:
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)
        except RuntimeError:  # the loop has ended
            self.stop()


class SpeechQueue:
    """Speaks requests in the order in which they came, `workers` at a time.

    The audio of a request depends on its seed alone, not on what else is spoken.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        *,
        workers: int,
        max_queue: int,
        on_waiting: Callable[[int], None] = lambda jobs: None,
    ) -> None:
        self.synthesizer = synthesizer
        self.max_queue = max_queue
        self.on_waiting = on_waiting
        self.draining = False
        self._jobs: queue.Queue[SpeechJob | None] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._work, name=f"speech-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, request: Request, *, seconds: float) -> SpeechJob:
        """Raise `RequestError` with 429 if too many wait, with 503 if the server is ending."""
        if self.draining:
            raise RequestError("the server is shutting down", status=503, code="draining")
        if self._jobs.qsize() >= self.max_queue:
            raise RequestError(
                f"{self.max_queue} requests are waiting already",
                status=429,
                kind=LIMIT,
                code="queue_full",
                retry_after=1 + self.max_queue // max(len(self._threads), 1),
            )
        loop = asyncio.get_running_loop()
        job = SpeechJob(request, time.monotonic() + seconds, loop)
        self._jobs.put(job)
        self.on_waiting(self._jobs.qsize())
        return job

    def close(self) -> None:
        """Take no more requests, and end when all that were accepted have been spoken."""
        self.draining = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self.on_waiting(self._jobs.qsize())
            try:
                self._speak(job)
            except JobStoppedError:
                job.give(JobStoppedError())
            except VallEError as exc:
                job.give(exc)
            except Exception as exc:
                log.exception("a request failed")
                job.give(exc)

    def _speak(self, job: SpeechJob) -> None:
        job.require_running()
        session = self.synthesizer.stream(job.request, on_progress=lambda _: job.require_running())
        job.give(Begun(session, time.monotonic() - job.submitted))
        for chunk in session:
            job.require_running()
            job.give(chunk)
        job.give(session.result())
