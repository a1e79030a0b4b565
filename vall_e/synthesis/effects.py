"""Effects on finished audio, one after the other, for one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from vall_e.config.choices import AudioEffectChoice
from vall_e.errors import PluginError
from vall_e.interfaces.audio_effect import AudioEffect, EffectStream
from vall_e.synthesis.result import Waveform


@frozen
class Effects:
    """The effects of a synthesizer, in the order of `synthesis.effects`."""

    named: tuple[tuple[str, AudioEffect], ...] = ()

    @classmethod
    def of(cls, choices: Sequence[AudioEffectChoice]) -> Effects:
        return cls(tuple((choice.name, choice.build()) for choice in choices))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.named]

    def stream(self, sample_rate: int, provenance: Mapping[str, Any]) -> EffectChain:
        return EffectChain(
            [(name, effect.stream(sample_rate, provenance)) for name, effect in self.named]
        )


class EffectChain:
    """Audio through all effects; without any it stays as it is."""

    def __init__(self, streams: Sequence[tuple[str, EffectStream]]) -> None:
        self._streams: Sequence[tuple[str, EffectStream]] = streams

    def push(self, audio: Waveform) -> Waveform:
        return self._through(audio, self._streams)

    def flush(self) -> Waveform:
        """What the effects still hold back."""
        rest = [
            self._through(_checked(name, stream.flush()), self._streams[place + 1 :])
            for place, (name, stream) in enumerate(self._streams)
        ]
        self._streams = ()  # no stream is flushed twice
        return np.concatenate([np.zeros(0, np.float32), *rest])

    @staticmethod
    def _through(audio: Waveform, streams: Sequence[tuple[str, EffectStream]]) -> Waveform:
        for name, stream in streams:
            audio = _checked(name, stream.push(audio))
        return audio


def _checked(name: str, audio: Waveform) -> Waveform:
    """Raise `PluginError` for what no file can hold."""
    fault = ""
    if not isinstance(audio, np.ndarray) or audio.ndim != 1 or audio.dtype != np.float32:
        fault = "is no array (s,) of float32"
    elif not np.isfinite(audio).all():
        fault = "has samples that are not finite"
    if fault:
        raise PluginError(
            f"the output of the audio effect {name!r} {fault}",
            hint=f"run `vall-e plugins check {name}`, and leave it out of synthesis.effects",
        )
    return audio
