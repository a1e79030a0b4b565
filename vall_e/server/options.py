"""Options of the server. Nothing of the extra `serve` is imported here."""

from __future__ import annotations

from attrs import field, frozen

from vall_e.config.validators import positive


@frozen(kw_only=True)
class ServerOptions:
    """Limits, and who may use the server."""

    workers: int = field(default=1, validator=positive)
    """Requests that are spoken at the same time; they share the processor."""
    max_queue: int = field(default=16, validator=positive)
    """Requests that may wait; further ones get 429."""
    deadline_seconds: float = field(default=300.0, validator=positive)
    """A request that has not ended by then is stopped."""
    max_characters: int = field(default=4096, validator=positive)
    """Of a text."""
    max_body_bytes: int = field(default=20_000_000, validator=positive)
    max_voices: int = field(default=200, validator=positive)
    """Voices that clients may add in all."""
    max_batch: int = field(default=32, validator=positive)
    """Texts in a request for a batch."""
    api_keys: tuple[str, ...] = ()
    """Keys that clients send as `Authorization: Bearer KEY`; empty: no key is needed."""
    origins: tuple[str, ...] = ()
    """Web origins whose pages may call the server (CORS)."""
