"""Mimi (Défossez et al. 2024, https://arxiv.org/abs/2410.00037), by its classes in transformers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CheckpointError, CodecStream, UnavailableError
from vall_e_codec_mimi.components import MimiConfig
from vall_e_codecs.kit import HubFile, checked, imports, locate_on_hub, read_tensors

CODEBOOK = 2048
HALVES = (
    ("encoder.encoder_seanet.", "encoder."),
    ("encoder.encoder_transformer.", "encoder_transformer."),
    ("encoder.downsample.", "downsample."),
    ("decoder.decoder_seanet.", "decoder."),
    ("decoder.decoder_transformer.", "decoder_transformer."),
    ("decoder.upsample.", "upsample."),
)
"""Beginnings of names in transformers, and in the file."""
CONTEXT = 12
"""Inputs of the last network that a sample depends on, at most; each is half a frame."""


@frozen
class Sizes:
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
    """In a frame."""

    def __init__(self, module: nn.Module, *, levels: int, identity: str) -> None:
        super().__init__()
        self.module = module
        self.levels = levels
        self.identity = identity
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Codes of a waveform at 24 kHz; a started frame is filled up with silence."""
        if not audio.shape[2]:
            return torch.zeros(len(audio), self.levels, 0, dtype=torch.long, device=audio.device)
        frames = math.ceil(audio.shape[2] / self.samples)
        padded = nn.functional.pad(checked(audio), (0, frames * self.samples - audio.shape[2]))
        # Row by row: sums in another order would now and then give another code.
        with audio.device:  # where transformers makes masks and positions
            return torch.cat([self._codes(row[None]) for row in padded])

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Sound from the first n levels, 1920 samples a frame."""
        if not codes.shape[2]:
            return torch.zeros(len(codes), 1, 0, device=codes.device)
        return self.stream().push(codes)

    def stream(self) -> CodecStream:
        """Speaks at once: no sample depends on a later frame."""
        return MimiStream(self.module)

    def _codes(self, audio: Float[Tensor, "1 1 s"]) -> Int[Tensor, "1 k f"]:
        found: Tensor = self.module.encode(audio, num_quantizers=self.levels).audio_codes  # type: ignore[operator]
        return found


class MimiStream:
    """Keeps what later samples depend on: a frame, the attention's cache, and a few vectors."""

    def __init__(self, module: Any) -> None:
        self._quantizer = module.quantizer
        self._half = module.decoder
        self._last: Tensor | None = None
        self._cache: Any = None
        self._kept: Tensor | None = None

    @torch.no_grad()
    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        if not codes.shape[2]:
            return torch.zeros(len(codes), 1, 0, device=codes.device)
        vectors = self._upsampled(self._quantizer.decode(codes)).transpose(1, 2)
        with codes.device:  # where transformers makes masks and positions
            out = self._half.decoder_transformer(
                vectors, past_key_values=self._cache, use_cache=True
            )
        self._cache = out.past_key_values
        new = out.last_hidden_state.transpose(1, 2)
        known = new if self._kept is None else torch.cat([self._kept, new], dim=2)
        sound: Tensor = self._half.decoder_seanet(known)
        self._kept = known[:, :, -CONTEXT:]
        return sound[:, :, sound.shape[2] - codes.shape[2] * Mimi.samples :]

    def flush(self) -> Float[Tensor, "b 1 s"]:
        return torch.zeros(1 if self._last is None else len(self._last), 1, 0, device=self._device)

    @property
    def _device(self) -> torch.device | None:
        return None if self._last is None else self._last.device

    def _upsampled(self, vectors: Float[Tensor, "b c f"]) -> Float[Tensor, "b c two_f"]:
        known = vectors if self._last is None else torch.cat([self._last, vectors], dim=2)
        self._last = vectors[:, :, -1:]
        out: Tensor = self._half.upsample(known)
        return out[:, :, out.shape[2] - 2 * vectors.shape[2] :]


def open_mimi(config: MimiConfig) -> Mimi:
    """The codec that the config describes, with its weights."""
    file = HubFile("kyutai/mimi", "model.safetensors", config.revision, config.sha256)
    path = locate_on_hub(
        "mimi", path=config.path, file=file, download=config.download, cache=config.cache
    )
    return mimi_of(path, levels=config.levels)


def mimi_of(path: Path, *, levels: int, sizes: Sizes | None = None) -> Mimi:
    """A Mimi with the weights in this file."""
    state = read_tensors(path)
    module = network(sizes or Sizes())
    wanted = module.state_dict()
    wrong = [n for n, t in wanted.items() if _shape(state, name_in_file(n)) != t.shape]
    if wrong:
        raise CheckpointError(
            f"{path} does not hold the weights of Mimi: {len(wrong)} tensors are missing or have "
            f"another shape, such as {name_in_file(wrong[0])}",
            hint="give model.safetensors of https://huggingface.co/kyutai/mimi",
        )
    module.load_state_dict({name: state[name_in_file(name)] for name in wanted})
    return Mimi(module, levels=levels, identity=f"mimi-24k:{_digest(state)}")


def network(sizes: Sizes) -> nn.Module:
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
    """The name that the published file gives a tensor of the network."""
    for ours, theirs in HALVES:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def _shape(state: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return state[name].shape if name in state else None


def _digest(state: Mapping[str, Tensor]) -> str:
    """Names encoder and codebooks."""
    digest = hashlib.sha256()
    for name in sorted(state):
        if name.startswith(("encoder", "downsample.", "quantizer.")):
            digest.update(name.encode() + state[name].float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]
