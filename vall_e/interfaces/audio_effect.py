"""What the core asks of an effect on finished audio: a limiter, a watermark, a log. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from jaxtyping import Float32


@runtime_checkable
class EffectStream(Protocol):
    """One request's audio on its way through an effect, in pieces of any length."""

    def push(self, audio: Float32[np.ndarray, " s"]) -> Float32[np.ndarray, " n"]:
        """The samples that the next piece completes, in [-1, 1]; perhaps none yet."""
        ...

    def flush(self) -> Float32[np.ndarray, " n"]:
        """What is still held back. The last call."""
        ...


@runtime_checkable
class AudioEffect(Protocol):
    """Changes or watches all audio that a synthesizer gives out. Several threads may use one."""

    def stream(self, sample_rate: int, provenance: Mapping[str, Any]) -> EffectStream:
        """For one request; `provenance` says how its audio is made, as in `Result`."""
        ...


@runtime_checkable
class Detecting(Protocol):
    """An effect that leaves a mark in the audio, and finds it again."""

    def detect(self, audio: Float32[np.ndarray, " s"], sample_rate: int) -> str | None:
        """What the mark says, on one line; None: there is no mark."""
        ...
