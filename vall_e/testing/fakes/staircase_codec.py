"""A codec without weights, so that a whole run can be tested in a second."""

from __future__ import annotations

import logging

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from vall_e.errors import AudioError
from vall_e.interfaces.codec import frame_samples

log = logging.getLogger(__name__)


class StaircaseCodec:
    """Residual quantizer of each frame's mean amplitude. Low quality, but well-defined.

    As in other codecs, levels go from coarse to fine: level 0 names one of `codebook_size` equal
    bins of [-1, 1], level 1 a bin within that bin, and so on. With all levels the mean is exact to
    `codebook_size ** -levels`.
    """

    causal = True

    def __init__(
        self,
        *,
        levels: int = 4,
        codebook_size: int = 16,
        sample_rate: int = 16_000,
        frame_rate: float = 50.0,
    ) -> None:
        self.levels = levels
        self.codebook_size = codebook_size
        self.sample_rate = sample_rate
        self.frame_rate = frame_rate
        hop = frame_samples(sample_rate=sample_rate, frame_rate=frame_rate)
        if hop.denominator != 1:
            raise ValueError(f"a frame would be {float(hop):g} samples, not a whole number")
        self.hop = int(hop)
        self.identity = f"staircase:{levels}x{codebook_size}@{sample_rate}/{self.hop}"

    def encode(self, audio: Float[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Quantize a waveform in [-1, 1]; a last partial frame is padded with silence."""
        audio = _checked(audio)
        audio = pad(audio, (0, -audio.shape[-1] % self.hop))
        residual = audio.reshape(len(audio), -1, self.hop).mean(-1)  # (b, f)
        radius, codes = 1.0, []
        for _ in range(self.levels):
            step = 2 * radius / self.codebook_size
            code = ((residual + radius) / step).long().clamp(0, self.codebook_size - 1)
            residual = residual - ((code + 0.5) * step - radius)
            radius = step / 2
            codes.append(code)
        return torch.stack(codes, dim=1)

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Hold each frame at its decoded mean. Fewer levels give a coarser wave."""
        mean = torch.zeros(codes.shape[0], codes.shape[2], device=codes.device)  # (b, f)
        radius = 1.0
        for code in codes.unbind(1):
            step = 2 * radius / self.codebook_size
            mean = mean + (code + 0.5) * step - radius
            radius = step / 2
        return mean.repeat_interleave(self.hop, dim=-1)[:, None]

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """One-dimensional: what a code adds to a frame's mean."""
        places = torch.arange(self.codebook_size) + 0.5
        radii = torch.tensor([float(self.codebook_size) ** -level for level in range(self.levels)])
        return (radii[:, None] * (2 * places / self.codebook_size - 1))[..., None]

    def stream(self) -> StaircaseStream:
        return StaircaseStream(self)


class StaircaseStream:
    """Frames do not depend on each other, so each is final at once."""

    def __init__(self, codec: StaircaseCodec) -> None:
        self._codec = codec
        self._rest = torch.zeros(1, 1, 0)

    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        sound = self._codec.decode(codes)
        self._rest = sound[..., :0]
        return sound

    def flush(self) -> Float[Tensor, "b 1 s"]:
        return self._rest


def _checked(audio: Tensor) -> Tensor:
    if not audio.is_floating_point():
        raise AudioError(
            f"samples must be floats in [-1, 1], found {audio.dtype}",
            hint="divide 16-bit samples by 32768",
        )
    if not audio.numel():
        return audio
    peak = audio.abs().amax()
    if not bool(peak <= 4):  # NaN compares as False
        raise AudioError(
            f"samples must lie in [-1, 1], found {peak:.3g}",
            hint="divide by full scale, or find out where NaN or infinite samples come from",
        )
    if peak > 1:
        log.warning("samples up to %.3g are clipped to [-1, 1]", peak)
    return audio.clamp(-1, 1)
