"""Decode codes as they arrive: the vocoder's state is kept between pieces."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from vall_e_codecs.embedded.vocoder import State, Vocoder


class VocoderStream:
    """Returns the samples that no later frame can change; the others wait in `_open`."""

    def __init__(self, vocoder: Vocoder) -> None:
        self._vocoder = vocoder
        self._state: State | None = None
        self._early = vocoder.settings.ahead  # outputs that lie before the first frame
        self._drop = vocoder.settings.overhang  # samples that lie before the first frame
        self._open: tuple[Tensor, Tensor] | None = None

    def push(self, vectors: Float[Tensor, "b f d"]) -> Float[Tensor, "b s"]:
        """Final samples after these frames too."""
        if self._state is None:
            self._state = self._vocoder.start(vectors)
        if not vectors.shape[1]:
            return vectors.new_zeros(len(vectors), 0)
        pieces, self._state = self._vocoder.spectra(vectors, self._state)
        skip = min(self._early, vectors.shape[1])
        self._early -= skip
        pieces = pieces[:, skip * self._vocoder.settings.subframes :]
        return self._add(pieces) if pieces.shape[1] else vectors.new_zeros(len(vectors), 0)

    def flush(self) -> Float[Tensor, "b s"]:
        """Final samples of the last frames, as if silence of the mean spectrum followed."""
        settings = self._vocoder.settings
        if self._state is None:
            return torch.zeros(1, 0)
        ahead = self._state[0].new_zeros(len(self._state[0]), settings.ahead, settings.dimension)
        last = self.push(ahead)
        if self._open is None:
            return last
        sound, weight = self._open
        return torch.cat([last, (sound / weight)[:, self._drop : settings.overhang]], dim=1)

    def _add(self, pieces: Float[Tensor, "b g n"]) -> Float[Tensor, "b s"]:
        sound, weight = self._vocoder.overlap(pieces)
        if self._open is not None:
            before, before_weight = self._open
            sound[:, : before.shape[1]] += before
            weight[: len(before_weight)] += before_weight
        final = pieces.shape[1] * self._vocoder.settings.step
        self._open = sound[:, final:], weight[final:]
        drop = min(self._drop, final)
        self._drop -= drop
        return (sound[:, :final] / weight[:final])[:, drop:]
