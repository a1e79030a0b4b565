"""The embedded codec: 50 frames a second, 8 levels of 1024 entries, 4 kbit/s.

Codes come from fixed analysis and k-means (`analysis`, `quantizer`), audio from a causal vocoder
(`vocoder`) with a few frames of look-ahead. Codes describe the band up to 8 kHz; a vocoder of a
higher rate fills in what lies above. It can be trained further without changing the codes or the
language models that use them.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from vall_e.plugin import CheckpointError, CodecStream
from vall_e_codecs.audio_check import checked
from vall_e_codecs.embedded.analysis import Analysis
from vall_e_codecs.embedded.stream import VocoderStream
from vall_e_codecs.embedded.vocoder import Vocoder, VocoderSettings
from vall_e_codecs.embedded.weights import CodecWeights, load, reading_codec


class EmbeddedCodec(torch.nn.Module):
    """A `vall_e.plugin.Codec`. `vocoder` is None while only the codebooks exist."""

    causal = True
    encode_context = 1
    """Frames: a spectrum's window reaches half a frame into its neighbours."""
    decode_context = None

    def __init__(self, weights: CodecWeights) -> None:
        super().__init__()
        self.identity = weights.identity
        self.sample_rate = weights.sample_rate
        self.frame_rate = weights.analysis.sample_rate / weights.analysis.hop
        self.levels, self.codebook_size, _ = weights.quantizer.codebooks.shape
        self.analysis = Analysis(weights.analysis, self.sample_rate)
        self.quantizer = weights.quantizer
        self.vocoder = _vocoder(weights)
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Codes of a waveform at `sample_rate`; a last partial frame is padded with silence."""
        return self.quantizer.encode(self.analysis(checked(audio)[:, 0]))

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Audio from the first n levels, `hop` samples per frame."""
        sound: Tensor = self._trained()(self.quantizer.decode(codes))
        return sound[:, None]

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """The entries of its codebooks."""
        entries: Tensor = self.quantizer.codebooks
        return entries

    def stream(self) -> CodecStream:
        """Decodes codes as they arrive, with a delay of a few frames: `vocoder.settings.delay`."""
        return EmbeddedStream(self)

    def _trained(self) -> Vocoder:
        if self.vocoder is None:
            raise CheckpointError(
                "this codec file has codebooks but no vocoder: it can encode, but not decode",
                hint="train one with `vall-e codec train`, or use a complete file",
            )
        return self.vocoder


class EmbeddedStream:
    """A `vall_e.plugin.CodecStream` with the vocoder's caches."""

    def __init__(self, codec: EmbeddedCodec) -> None:
        self._quantizer = codec.quantizer
        self._stream = VocoderStream(codec._trained())

    @torch.no_grad()
    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        return self._stream.push(self._quantizer.decode(codes))[:, None]

    @torch.no_grad()
    def flush(self) -> Float[Tensor, "b 1 s"]:
        return self._stream.flush()[:, None]


def open_codec(path: Path | None) -> EmbeddedCodec:
    """The codec in this file, or the one included in VALL-E."""
    if path is not None:
        found = load(path)
        with reading_codec(path):
            return EmbeddedCodec(found)
    packaged = resources.files("vall_e.embedded") / "codec.safetensors"
    if not packaged.is_file():
        raise CheckpointError(
            "this installation does not include the embedded codec",
            hint="set a file with `path: codec.safetensors`, or reinstall vall-e",
        )
    with resources.as_file(packaged) as file:
        return EmbeddedCodec(load(file))


def _vocoder(weights: CodecWeights) -> Vocoder | None:
    if not weights.vocoder:
        return None
    settings = VocoderSettings(**weights.vocoder_settings)  # type: ignore[arg-type]
    vocoder = Vocoder(settings)
    try:
        vocoder.load_state_dict(dict(weights.vocoder))
    except RuntimeError as exc:
        raise CheckpointError(
            f"the vocoder's weights do not fit its settings: {exc}",
            hint="export the codec again with `vall-e codec train --resume`",
        ) from exc
    return vocoder
