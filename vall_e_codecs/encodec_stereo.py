"""EnCodec at 48 kHz, stereo (Défossez et al. 2022, https://arxiv.org/abs/2210.13438).

It works on blocks of one second, which overlap by a hundredth and are normalized in loudness; the
loudness is stored with their codes. Run by the same packages as the one at 24 kHz.
"""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CodecStream, ConfigError, DownloadError
from vall_e_codecs.audio_check import checked
from vall_e_codecs.buffered_stream import WholeStream
from vall_e_codecs.empty_input import no_codes, no_sound
from vall_e_codecs.encodec_network import (
    ENTRIES,
    EncodecImplementation,
    EncodecNetwork,
    EncodecSizes,
    network_of,
)
from vall_e_codecs.options import EncodecConfig
from vall_e_codecs.weight_files import RemoteFile, locate

SIZES = EncodecSizes(
    sample_rate=48_000,
    channels=2,
    causal=False,
    kilobits=(3.0, 6.0, 12.0, 24.0),
    published="encodec_48khz-7e698e3e.th",
)
SERVER = "https://dl.fbaipublicfiles.com/encodec/v0/"
HASH_BEGINS = "7e698e3e"
"""As given in the file name."""
BLOCK_FRAMES = 150
LEAST = 1e-8
"""Loudness of silence."""
SPOKEN = 0.1
"""Loudness (RMS) of audio decoded from codes alone: that of recorded speech, about -20 dB."""


class EncodecStereo(nn.Module):
    """A `vall_e.plugin.Codec` and `Blockwise`: 150 frames a second, up to 16 levels.

    For models, which have no loudness and one channel, a recording is normalized as a whole, copied
    to both channels, and cut into blocks that do not overlap.
    """

    sample_rate = SIZES.sample_rate
    frame_rate = 150.0
    codebook_size = ENTRIES
    causal = False
    channels = SIZES.channels
    block_samples = 48_000
    block_step = 47_520

    def __init__(self, network: EncodecNetwork, *, levels: int, identity: str) -> None:
        super().__init__()
        self.module = network.module
        self.levels = levels
        self.identity = identity
        self._network = network
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def encode_block(self, audio: Float[Tensor, "2 s"]) -> tuple[Int[Tensor, "k f"], float]:
        """Codes of at most a second at 48 kHz, and its loudness: the RMS of both channels' mean."""
        loudness = checked(audio).mean(0).square().mean().sqrt() + LEAST
        return self._codes(audio / loudness), float(loudness)

    @torch.no_grad()
    def decode_block(self, codes: Int[Tensor, "n f"], loudness: float) -> Float[Tensor, "2 s"]:
        """Audio from the first n levels, 320 samples per frame."""
        vectors = self._network.dequantize(codes[:, None])
        sound: Tensor = self._network.decoder(vectors)[0] * loudness
        return sound

    @torch.no_grad()
    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Codes of a waveform at 48 kHz, for a model."""
        if not audio.shape[2]:
            return no_codes(audio, self.levels)
        audio = checked(audio)
        loudness = audio.square().mean(2, keepdim=True).sqrt() + LEAST
        both = (audio / loudness).expand(-1, self.channels, -1)
        # Row by row: sums in another order would occasionally give another code.
        return torch.stack([
            torch.cat([self._codes(block) for block in row.split(self.block_samples, dim=1)], dim=1)
            for row in both
        ])  # fmt: skip

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Audio of a model's codes: 320 samples per frame, mean of both channels, at `SPOKEN`."""
        if not codes.shape[2]:
            return no_sound(codes)
        rows = [
            torch.cat([self.decode_block(b, SPOKEN) for b in row.split(BLOCK_FRAMES, dim=1)], dim=1)
            for row in codes
        ]
        return torch.stack(rows).mean(1, keepdim=True)

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """The entries of its codebooks."""
        return self._network.code_vectors(self.levels)

    def stream(self) -> CodecStream:
        """Returns audio at the end only: a block is normalized as a whole."""
        return WholeStream(self.decode)

    def _codes(self, audio: Float[Tensor, "2 s"]) -> Int[Tensor, "k f"]:
        return self._network.quantize(self._network.encoder(audio[None]))[:, 0]


def open_stereo(config: EncodecConfig) -> EncodecStereo:
    """The codec described by the config, with its weights."""
    if config.levels > SIZES.levels:
        raise ConfigError(
            f"codec.levels: encodec has {SIZES.levels} levels at 48000 Hz, got {config.levels}",
            hint=f"set `levels: {SIZES.levels}`",
        )
    return stereo_of(_located(config), levels=config.levels, choice=config.implementation)


def stereo_of(
    path: Path, *, levels: int, choice: EncodecImplementation = "auto", sizes: EncodecSizes = SIZES
) -> EncodecStereo:
    """An EnCodec for stereo with the weights in this file, of either project."""
    network, digest = network_of(path, sizes, levels=levels, choice=choice)
    return EncodecStereo(network, levels=levels, identity=f"encodec-48k:{digest}")


def _located(config: EncodecConfig) -> Path:
    """The given file, or the downloaded one, whose hash the config must specify."""
    told = config.sha256.lower()
    if config.path is None and config.download and not told.startswith(HASH_BEGINS):
        raise ConfigError(
            f"codec.sha256: that of {SIZES.published} begins with {HASH_BEGINS}, "
            f"got {config.sha256 or 'none'}",
            hint="set it to the SHA-256 of that file, from a source that you trust",
        )
    if config.path is None and not told:
        raise DownloadError(
            "the weights of encodec at 48 kHz are not on this machine",
            hint=f"set `path:` to {SIZES.published}, or to model.safetensors of "
            f"https://huggingface.co/{SIZES.repository}",
        )
    return locate(
        "encodec",
        path=config.path,
        remote=RemoteFile(SERVER + SIZES.published, told),
        download=config.download,
        cache=config.cache,
    )
