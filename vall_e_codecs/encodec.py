"""EnCodec at 24 kHz, mono (Défossez et al. 2022, https://arxiv.org/abs/2210.13438).

Run by the reference package `encodec` if it can be imported, otherwise by the same architecture in
transformers, on the same weights. Weight files of both projects can be read.
"""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CodecStream, Listener
from vall_e_codecs.audio_check import checked
from vall_e_codecs.empty_input import no_codes, no_sound
from vall_e_codecs.encodec_network import (
    ENTRIES,
    EncodecImplementation,
    EncodecNetwork,
    EncodecSizes,
    network_of,
)
from vall_e_codecs.encodec_stream import EncodecStream, encodec_listener
from vall_e_codecs.options import EncodecConfig
from vall_e_codecs.weight_files import RemoteFile, locate

WEIGHTS = RemoteFile(
    url="https://dl.fbaipublicfiles.com/encodec/v0/encodec_24khz-d7cc33bc.th",
    sha256="d7cc33bcf1aad7f2dad9836f36431530744abeace3ca033005e3290ed4fa47bf",
)


class Encodec(nn.Module):
    """A `vall_e.plugin.Codec`: 75 frames a second, up to 32 levels of 1024 entries."""

    sample_rate = 24_000
    frame_rate = 75.0
    codebook_size = ENTRIES
    causal = True

    def __init__(self, network: EncodecNetwork, *, levels: int, identity: str) -> None:
        super().__init__()
        self.module = network.module
        self.levels = levels
        self.identity = identity
        self._network = network
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Codes of a waveform at 24 kHz."""
        if not audio.shape[2]:
            return no_codes(audio, self.levels)
        vectors = self._network.encoder(checked(audio))
        return self._network.quantize(vectors).transpose(0, 1)

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Audio from the first n levels, 320 samples per frame."""
        if not codes.shape[2]:
            return no_sound(codes)
        sound: Tensor = self._network.decoder(self._network.dequantize(codes.transpose(0, 1)))
        return sound

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """The entries of its codebooks."""
        return self._network.code_vectors(self.levels)

    def stream(self) -> CodecStream:
        """Returns audio from the seventh frame on: no sample depends on later frames than that."""
        return EncodecStream(self._network, self.decode)

    def listen(self) -> Listener:
        """Returns codes from the seventh frame on."""
        return encodec_listener(self._network, self.encode, self.levels)


def open_encodec(config: EncodecConfig) -> Encodec:
    """The codec described by the config, with its weights."""
    path = locate(
        "encodec",
        path=config.path,
        remote=WEIGHTS,
        download=config.download,
        cache=config.cache,
    )
    return encodec_of(path, levels=config.levels, choice=config.implementation)


def encodec_of(
    path: Path,
    *,
    levels: int,
    choice: EncodecImplementation = "auto",
    sizes: EncodecSizes | None = None,
) -> Encodec:
    """An EnCodec with the weights in this file, of either project."""
    network, digest = network_of(path, sizes or EncodecSizes(), levels=levels, choice=choice)
    return Encodec(network, levels=levels, identity=f"encodec-24k:{digest}")
