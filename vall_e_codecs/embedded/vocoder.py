"""Vectors to waveform: ConvNeXt blocks at the frame rate and an inverse-STFT head.

Vocos (Siuzdak 2023, https://arxiv.org/abs/2306.00814), with these differences: it is causal except
for `ahead` frames at the input and one in the overlap-add, and its head gives several STFT
sub-frames per code frame, so that the network runs at 50 Hz only.
"""

import torch
from attrs import field, frozen, validators
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

positive = validators.gt(0)


@frozen
class VocoderSettings:
    """Sizes of the network; its input and output are fixed by the codec."""

    dimension: int = field(default=160, validator=positive)
    """Size of the vector of one code frame."""
    hop: int = field(default=320, validator=positive)
    """Samples per code frame."""
    width: int = field(default=256, validator=positive)
    """Channels between the blocks."""
    layers: int = field(default=8, validator=positive)
    expansion: int = field(default=3, validator=positive)
    """Width inside a block, in multiples of `width`."""
    kernel: int = field(default=7, validator=validators.ge(2))
    """Frames that each convolution sees."""
    ahead: int = field(default=2, validator=validators.ge(0))
    """Frames of look-ahead at the input."""
    subframes: int = field(default=2, validator=positive)
    """Spectra per code frame."""
    fft: int = field(default=640, validator=positive)
    """Samples of one spectrum; a multiple of `step`."""

    def __attrs_post_init__(self) -> None:
        if self.hop % self.subframes or self.fft % self.step:
            raise ValueError(
                f"hop ({self.hop}) must be a multiple of subframes ({self.subframes}), "
                f"and fft ({self.fft}) of hop / subframes"
            )

    @property
    def step(self) -> int:
        """Samples between spectra."""
        return self.hop // self.subframes

    @property
    def overhang(self) -> int:
        """Samples by which the spectra of a frame reach past it, on each side."""
        return (self.fft - self.step) // 2

    @property
    def delay(self) -> int:
        """Delay of a stream in frames."""
        return self.ahead + -(-self.overhang // self.hop)


State = list[Tensor]
"""State of the convolutions: the last `kernel - 1` inputs of each."""


class Vocoder(nn.Module):
    """`forward` decodes complete codes; `spectra` and `overlap` are its halves, for pieces."""

    def __init__(self, settings: VocoderSettings) -> None:
        super().__init__()
        self.settings = settings
        self.entrance = nn.Conv1d(settings.dimension, settings.width, settings.kernel)
        self.entrance_norm = nn.LayerNorm(settings.width)
        self.blocks = nn.ModuleList(ConvNextBlock(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width)
        self.head = nn.Linear(settings.width, settings.subframes * (settings.fft // 2 + 1) * 2)
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(settings.fft), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv1d):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, vectors: Float[Tensor, "b f d"]) -> Float[Tensor, "b s"]:
        s, frames = self.settings, vectors.shape[1]
        if not frames:
            return vectors.new_zeros(len(vectors), 0)
        hidden, _ = self.spectra(pad(vectors, (0, 0, 0, s.ahead)), self.start(vectors))
        sound, weight = self.overlap(hidden[:, -frames * s.subframes :])
        return (sound / weight)[:, s.overhang : s.overhang + frames * s.hop]

    def start(self, vectors: Float[Tensor, "b f d"]) -> State:
        """The state before the first frame: silence of the mean spectrum."""
        s = self.settings
        channels = [s.dimension] + [s.width] * s.layers
        return [vectors.new_zeros(len(vectors), c, s.kernel - 1) for c in channels]

    def spectra(
        self, vectors: Float[Tensor, "b f d"], state: State
    ) -> tuple[Float[Tensor, "b g n"], State]:
        """Windowed waveforms of the sub-frames, `ahead` frames late, and the new state."""
        s = self.settings
        x, first = _remember(vectors.transpose(1, 2), state[0])
        hidden = self.entrance_norm(self.entrance(x).transpose(1, 2))
        after = [first]
        for block, before in zip(self.blocks, state[1:], strict=True):
            hidden, kept = block(hidden, before)
            after.append(kept)
        numbers = self.head(self.norm(hidden)).unflatten(2, (s.subframes, 2, -1)).flatten(1, 2)
        magnitude = numbers[:, :, 0].clamp(max=6).exp()
        spectrum = torch.polar(magnitude, numbers[:, :, 1])
        return torch.fft.irfft(spectrum, n=s.fft) * self.window, after

    def overlap(
        self, pieces: Float[Tensor, "b g n"]
    ) -> tuple[Float[Tensor, "b s"], Float[Tensor, " s"]]:
        """Sum of the overlapping pieces, and the sum of squared windows to divide it by."""
        weight = self.window.square().expand(1, pieces.shape[1], -1)
        step = self.settings.step
        return _overlap_add(pieces, step), _overlap_add(weight, step)[0].clamp(min=1e-8)


class ConvNextBlock(nn.Module):
    """ConvNeXt: a depthwise causal convolution, then two linear layers per frame."""

    def __init__(self, settings: VocoderSettings) -> None:
        super().__init__()
        width, inner = settings.width, settings.width * settings.expansion
        self.depthwise = nn.Conv1d(width, width, settings.kernel, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.gain = nn.Parameter(torch.full((width,), 1 / settings.layers))

    def forward(
        self, hidden: Float[Tensor, "b f w"], before: Float[Tensor, "b w p"]
    ) -> tuple[Float[Tensor, "b f w"], Float[Tensor, "b w p"]]:
        x, after = _remember(hidden.transpose(1, 2), before)
        x = self.norm(self.depthwise(x).transpose(1, 2))
        x = self.narrow(nn.functional.gelu(self.widen(x)))
        return hidden + self.gain * x, after


def _remember(
    x: Float[Tensor, "b c f"], before: Float[Tensor, "b c p"]
) -> tuple[Float[Tensor, "b c g"], Float[Tensor, "b c p"]]:
    """The input with its past in front, and the past of the next piece."""
    whole = torch.cat([before, x], dim=2)
    return whole, whole[:, :, whole.shape[2] - before.shape[2] :]


def _overlap_add(pieces: Float[Tensor, "b g n"], step: int) -> Float[Tensor, "b s"]:
    batch, count, length = pieces.shape
    ratio = length // step
    sound = pieces.new_zeros(batch, count + ratio - 1, step)
    for i, part in enumerate(pieces.reshape(batch, count, ratio, step).unbind(2)):
        sound[:, i : i + count] += part
    return sound.flatten(1)
