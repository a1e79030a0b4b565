"""A codec for use from Python: recordings to codes and files, and back to audio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.codec.long_audio import encode_clip, encode_file, sound_of
from vall_e.config.choices import CodecChoice
from vall_e.config.component_option import choose
from vall_e.device import device_of, find_device, place_codec
from vall_e.discovery import discover
from vall_e.errors import CheckpointError
from vall_e.interfaces import codec as interface
from vall_e.registry import Registry


class Codec:
    """A neural audio codec: `Codec.load("embedded").encode("me.wav")` gives `Codes`."""

    def __init__(self, codec: interface.Codec) -> None:
        """`codec` is what a component builds; see `vall_e.plugin.Codec`."""
        self._codec = codec

    @classmethod
    def load(
        cls, name: str = "embedded", *, device: str = "auto", registry: Registry | None = None
    ) -> Codec:
        """Open an installed codec by name, or by name and options, as in `{name: dac, levels: 9}`.

        Raises `ConfigError` for an unknown name or option, `DownloadError` where its weights are
        not on this machine, and `UnavailableError` where it cannot run.
        """
        choice = choose(name, CodecChoice, registry or discover(), source="codec")
        return cls(place_codec(choice.build(), find_device(device, option="device")))

    def __repr__(self) -> str:
        return (
            f"<Codec: {self.identity}, {self.levels} levels of {self.codebook_size}, "
            f"{self.frame_rate:g} frames/s, {self.sample_rate} Hz, on {device_of(self._codec)}>"
        )

    @property
    def identity(self) -> str:
        """Name and hash of the weights: codes of one identity can be decoded by it alone."""
        return self._codec.identity

    @property
    def sample_rate(self) -> int:
        """Samples per second of what it decodes."""
        return self._codec.sample_rate

    @property
    def frame_rate(self) -> float:
        """Frames of codes per second."""
        return self._codec.frame_rate

    @property
    def levels(self) -> int:
        """Codes of each frame, coarse to fine."""
        return self._codec.levels

    @property
    def codebook_size(self) -> int:
        """Entries of a level's codebook."""
        return self._codec.codebook_size

    def encode(self, recording: Clip | Path | str) -> Codes:
        """The codes (levels, frames) of a recording of any sample rate and length.

        Raises `AudioError` for a file that cannot be read.
        """
        if isinstance(recording, Clip):
            return encode_clip(recording, self._codec)
        return encode_file(Path(recording), self._codec).codes

    def decode(self, codes: Codes) -> Clip:
        """Decode codes, or their first levels. Raises `CheckpointError`, `DataError`.

        `CheckpointError`: the codes are from another codec. `DataError`: they have levels or
        entries that this one lacks.
        """
        pieces = [clip.samples for clip in self.stream(codes)]
        sound = np.concatenate(pieces, axis=-1) if pieces else np.zeros(0, np.float32)
        return Clip(sound, self.sample_rate)

    def stream(self, codes: Codes) -> Iterator[Clip]:
        """Like `decode`, in pieces of some seconds, so that memory use stays constant."""
        if codes.codec != self.identity:
            raise CheckpointError(
                f"these codes are from {codes.codec}, but the codec is {self.identity}",
                hint="decode them with the codec that made them",
            )
        for samples in sound_of(codes, self._codec):
            yield Clip(samples, self.sample_rate)
