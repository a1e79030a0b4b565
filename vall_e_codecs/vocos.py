"""Vocos (Siuzdak 2023, https://arxiv.org/abs/2306.00814): another decoder for EnCodec's codes.

Codes and identity are EnCodec's, so a model with EnCodec codes can use either. Run by the
reference package `vocos` if it can be imported, otherwise by our own network, on the same weights.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CodecStream, ConfigError, Listener
from vall_e_codecs.buffered_stream import WholeStream
from vall_e_codecs.empty_input import no_sound
from vall_e_codecs.encodec import Encodec, open_encodec
from vall_e_codecs.encodec_network import ENTRIES
from vall_e_codecs.options import EncodecConfig, VocosConfig
from vall_e_codecs.vocos_network import LEVELS, network_of
from vall_e_codecs.weight_files import HubFile, locate_on_hub


class Vocos(nn.Module):
    """A `vall_e.plugin.Codec`: EnCodec encodes, Vocos decodes."""

    sample_rate = 24_000
    frame_rate = 75.0
    codebook_size = ENTRIES
    causal = False
    encode_context = None
    """EnCodec's recurrent layers depend on everything before."""
    decode_context = 32
    """In frames: nine convolutions of seven, and the overlapping spectra."""

    def __init__(self, encodec: Encodec, network: nn.Module) -> None:
        super().__init__()
        self.encodec = encodec
        self.network = network
        self.levels = encodec.levels
        self.identity = encodec.identity
        self.requires_grad_(requires_grad=False).eval()

    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """EnCodec's codes of a waveform at 24 kHz."""
        return self.encodec.encode(audio)

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Audio from the first n levels, 320 samples per frame."""
        if not codes.shape[2]:
            return no_sound(codes)
        return torch.cat([self.network(row) for row in codes[:, None]])[:, None]

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """The entries of EnCodec's codebooks."""
        return self.encodec.code_vectors()

    def listen(self) -> Listener:
        """EnCodec's."""
        return self.encodec.listen()

    def stream(self) -> CodecStream:
        """Returns audio at the end only: its convolutions are not causal."""
        return WholeStream(self.decode)


def open_vocos(config: VocosConfig) -> Vocos:
    """The codec described by the config, with its weights."""
    if config.levels > max(LEVELS):
        raise ConfigError(
            f"codec.levels: vocos was trained with at most {max(LEVELS)} levels, "
            f"got {config.levels}",
            hint="set `levels: 8`, or use the codec `encodec`",
        )
    file = HubFile(
        "charactr/vocos-encodec-24khz", "pytorch_model.bin", config.revision, config.sha256
    )
    path = locate_on_hub(
        "vocos", path=config.path, file=file, download=config.download, cache=config.cache
    )
    encodec = open_encodec(
        EncodecConfig(
            path=config.encodec_path,
            levels=config.levels,
            download=config.download,
            cache=config.cache,
        )
    )
    return Vocos(encodec, network_of(path, choice=config.implementation))
