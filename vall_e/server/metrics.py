"""What `/metrics` shows, in the format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


class ServerMetrics:
    """Counters of one server; several in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "vall_e_requests", "Answers by path and status.", ["path", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.waiting = Gauge("vall_e_waiting", "Requests in the queue.", registry=self.registry)
        self.queue_seconds = Histogram(
            "vall_e_queue_seconds", "Waiting time in the queue.", buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.first_audio_seconds = Histogram(
            "vall_e_first_audio_seconds", "From the start of a request to its first audio.",
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.audio_seconds = Counter(
            "vall_e_audio_seconds", "Seconds of audio made.", registry=self.registry
        )
        self.stopped = Counter(
            "vall_e_stopped", "Requests whose client went away.", registry=self.registry
        )

    def text(self) -> bytes:
        return generate_latest(self.registry)
