"""The causal EnCodec, frame by frame, encoding and decoding: recurrent layers keep their state."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vall_e_codecs.empty_input import no_sound
from vall_e_codecs.encodec_network import EncodecNetwork
from vall_e_codecs.streaming_encoder import FrameListener
from vall_e_codecs.streaming_network import Piecewise

FRAME = 320
"""Samples."""
SLOW, FAST = 6, 2
"""Past frames that the convolutions need: at the frame rate, and at higher rates."""
FIRST = SLOW + 1
"""Frames needed to begin: a recording is preceded by its mirror image."""


class Half:
    """Encoder or decoder: convolutions, recurrent layers with their state, convolutions."""

    def __init__(self, half: nn.Module, first: Callable[[nn.Module], Piecewise],
                 last: Callable[[nn.Module], Piecewise]) -> None:  # fmt: skip
        [layers] = half.children()
        parts = list(layers.children())
        [(place, self._lstm)] = [
            (i, module)
            for i, part in enumerate(parts)
            for module in part.modules()
            if isinstance(module, nn.LSTM)
        ]
        self._first = first(nn.Sequential(*parts[:place]))
        self._last = last(nn.Sequential(*parts[place + 1 :]))
        self._state: tuple[Tensor, Tensor] | None = None

    def __call__(self, piece: Float[Tensor, "b c t"]) -> Float[Tensor, "b d u"]:
        vectors = self._first(piece).permute(2, 0, 1)
        found, self._state = self._lstm(vectors, self._state)
        return self._last((found + vectors).permute(1, 2, 0))


class EncodecStream:
    """A `vall_e.plugin.CodecStream`, which returns audio from the seventh frame on."""

    def __init__(self, network: EncodecNetwork, whole: Callable[[Tensor], Tensor]) -> None:
        self._dequantize = network.dequantize
        self._whole = whole
        self._half = Half(
            network.decoder,
            lambda layers: Piecewise(layers, reach=SLOW),
            lambda layers: Piecewise(layers, reach=FAST, outputs=FRAME),
        )
        self._waiting: Tensor | None = None
        self._begun = False

    @torch.no_grad()
    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        known = codes if self._waiting is None else torch.cat([self._waiting, codes], dim=2)
        self._begun = self._begun or known.shape[2] >= FIRST
        self._waiting = known[:, :, :0] if self._begun else known
        if not self._begun or not known.shape[2]:
            return no_sound(codes)
        return self._half(self._dequantize(known.transpose(0, 1)))

    @torch.no_grad()
    def flush(self) -> Float[Tensor, "b 1 s"]:
        if self._waiting is None:
            return torch.zeros(1, 1, 0)
        return self._whole(self._waiting)


def encodec_listener(
    network: EncodecNetwork, whole: Callable[[Tensor], Tensor], levels: int
) -> FrameListener:
    """A `vall_e.plugin.Listener`, which returns codes from the seventh frame on."""
    half = Half(
        network.encoder,
        lambda layers: Piecewise(layers, reach=FAST, inputs=FRAME),
        lambda layers: Piecewise(layers, reach=SLOW),
    )

    def encode(audio: Tensor) -> Tensor:
        return network.quantize(half(audio)).transpose(0, 1)

    return FrameListener(encode, whole, samples=FRAME, levels=levels, first=FIRST)
