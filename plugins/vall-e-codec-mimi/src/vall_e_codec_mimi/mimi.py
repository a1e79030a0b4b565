"""Mimi (Défossez et al. 2024, https://arxiv.org/abs/2410.00037), by its classes in transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CodecStream, Listener, UnavailableError
from vall_e_codec_mimi.options import MimiConfig
from vall_e_codecs.kit import (
    FrameListener,
    HubFile,
    Piecewise,
    checked,
    digest_of,
    imports,
    locate_on_hub,
    no_codes,
    no_sound,
    read_tensors,
    require_shapes,
    whole_frames,
)

CODEBOOK = 2048
HALVES = (
    ("encoder.encoder_seanet.", "encoder."),
    ("encoder.encoder_transformer.", "encoder_transformer."),
    ("encoder.downsample.", "downsample."),
    ("decoder.decoder_seanet.", "decoder."),
    ("decoder.decoder_transformer.", "decoder_transformer."),
    ("decoder.upsample.", "upsample."),
)
"""Prefixes of names in transformers, and in the file."""
CONTEXT = 12
"""Maximum number of the last network's inputs that a sample depends on; each is half a frame."""


@frozen
class MimiSizes:
    """The network's sizes; tests make them small, the published weights have the defaults."""

    width: int = 512
    filters: int = 64
    dimension: int = 256
    inner: int = 2048
    layers: int = 8
    heads: int = 8
    window: int = 250


class Mimi(nn.Module):
    """A `vall_e.plugin.Codec`: 12.5 frames a second, up to 32 levels of 2048 entries."""

    sample_rate = 24_000
    frame_rate = 12.5
    codebook_size = CODEBOOK
    causal = True
    samples = 1920
    """Samples in a frame."""

    def __init__(self, module: nn.Module, *, levels: int, identity: str) -> None:
        super().__init__()
        self.module = module
        self.levels = levels
        self.identity = identity
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Codes of a waveform at 24 kHz; an incomplete frame is padded with silence."""
        if not audio.shape[2]:
            return no_codes(audio, self.levels)
        padded = whole_frames(checked(audio), self.samples)
        # Row by row: sums in another order would occasionally give another code.
        with audio.device:  # transformers creates masks and positions there
            return torch.cat([self._codes(row[None]) for row in padded])

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Audio from the first n levels, 1920 samples per frame."""
        if not codes.shape[2]:
            return no_sound(codes)
        return self.stream().push(codes)

    def stream(self) -> CodecStream:
        """Returns audio at once: no sample depends on a later frame."""
        return MimiStream(self.module)

    def listen(self) -> Listener:
        """Returns each frame's codes at its end."""
        encode = MimiEncoder(self.module, self.levels)
        return FrameListener(encode, encode, samples=self.samples, levels=self.levels)

    def _codes(self, audio: Float[Tensor, "1 1 s"]) -> Int[Tensor, "1 k f"]:
        found: Tensor = self.module.encode(audio, num_quantizers=self.levels).audio_codes  # type: ignore[operator]
        return found


class MimiStream:
    """A `vall_e.plugin.CodecStream` with the attention's cache."""

    def __init__(self, module: Any) -> None:
        self._dequantize = module.quantizer.decode
        self._attend = module.decoder.decoder_transformer
        self._upsample = Piecewise(module.decoder.upsample, reach=1, outputs=2)
        self._sound = Piecewise(
            module.decoder.decoder_seanet, reach=CONTEXT, outputs=Mimi.samples // 2
        )
        self._cache: Any = None
        self._rest = torch.zeros(1, 1, 0)

    @torch.no_grad()
    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        self._rest = no_sound(codes)
        if not codes.shape[2]:
            return self._rest
        vectors = self._upsample(self._dequantize(codes)).transpose(1, 2)
        with codes.device:  # transformers creates masks and positions there
            out = self._attend(vectors, past_key_values=self._cache, use_cache=True)
        self._cache = out.past_key_values
        return self._sound(out.last_hidden_state.transpose(1, 2))

    def flush(self) -> Float[Tensor, "b 1 s"]:
        return self._rest


class MimiEncoder:
    """The encoder of transformers with its caches, for audio that arrives in pieces."""

    def __init__(self, module: Any, levels: int) -> None:
        self._encode = module.encode
        self._levels = levels
        self._caches: dict[str, Any] = {}

    def __call__(self, audio: Float[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        with audio.device:  # transformers creates masks and positions there
            found = self._encode(
                whole_frames(audio, Mimi.samples),
                num_quantizers=self._levels,
                use_streaming=True,
                **self._caches,
            )
        self._caches = {
            "encoder_past_key_values": found.encoder_past_key_values,
            "padding_cache": found.padding_cache,
        }
        codes: Tensor = found.audio_codes
        return codes


def open_mimi(config: MimiConfig) -> Mimi:
    """The codec described by the config, with its weights."""
    file = HubFile("kyutai/mimi", "model.safetensors", config.revision, config.sha256)
    path = locate_on_hub(
        "mimi", path=config.path, file=file, download=config.download, cache=config.cache
    )
    return mimi_of(path, levels=config.levels)


def mimi_of(path: Path, *, levels: int, sizes: MimiSizes | None = None) -> Mimi:
    """A Mimi with the weights in this file."""
    state = read_tensors(path)
    module = network(sizes or MimiSizes())
    wanted = module.state_dict()
    require_shapes(
        {name_in_file(name): tensor.shape for name, tensor in wanted.items()},
        state,
        f"{path} does not contain the weights of Mimi",
        hint="use model.safetensors of https://huggingface.co/kyutai/mimi",
    )
    module.load_state_dict({name: state[name_in_file(name)] for name in wanted})
    return Mimi(module, levels=levels, identity=f"mimi-24k:{digest_of(state, _names_codes)}")


def network(sizes: MimiSizes) -> nn.Module:
    """The network without weights."""
    if not imports("transformers"):
        raise UnavailableError(
            "Mimi needs the package transformers", hint="pip install 'transformers>=5.23'"
        )
    from transformers import MimiConfig as HfConfig
    from transformers import MimiModel

    module: nn.Module = MimiModel(
        HfConfig(
            hidden_size=sizes.width,
            num_filters=sizes.filters,
            codebook_dim=sizes.dimension,
            vector_quantization_hidden_dimension=sizes.dimension,
            intermediate_size=sizes.inner,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            num_key_value_heads=sizes.heads,
            head_dim=sizes.width // sizes.heads,
            upsample_groups=sizes.width,
            sliding_window=sizes.window,
        )
    )
    return module


def name_in_file(name: str) -> str:
    """The published file's name of a tensor of the network."""
    for ours, theirs in HALVES:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def _names_codes(name: str) -> bool:
    """Whether a tensor of the file affects the codes."""
    return name.startswith(("encoder", "downsample.", "quantizer."))
