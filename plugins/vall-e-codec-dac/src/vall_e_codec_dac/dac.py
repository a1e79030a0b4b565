"""DAC (Descript Audio Codec, Kumar et al. 2023, https://arxiv.org/abs/2306.06546).

Run by the reference package `dac` if it can be imported, else by the architecture in transformers,
on the same weights. Weight files of both projects can be read.
"""

from __future__ import annotations

import importlib
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch
from attrs import frozen
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CodecStream, ConfigError, UnavailableError
from vall_e_codec_dac.options import DacConfig
from vall_e_codec_dac.tensor_names import canonical, split
from vall_e_codecs.kit import (
    HubFile,
    WholeStream,
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

log = logging.getLogger(__name__)

DacImplementation = Literal["auto", "dac", "transformers"]


@frozen
class DacSizes:
    """The network's sizes; tests make `encoder` and `decoder` small."""

    sample_rate: int = 44_100
    ratios: tuple[int, ...] = (2, 4, 8, 8)
    levels: int = 9
    encoder: int = 64
    decoder: int = 1536

    @property
    def samples(self) -> int:
        """Samples in a frame."""
        return math.prod(self.ratios)


PUBLISHED = {
    16_000: DacSizes(16_000, (2, 4, 5, 8), 12),
    24_000: DacSizes(24_000, (2, 4, 5, 8), 32),
    44_100: DacSizes(),
}


@runtime_checkable
class DacNetwork(Protocol):
    """A DAC network, from either project."""

    module: nn.Module

    def encode(self, audio: Float[Tensor, "b 1 s"], levels: int) -> Int[Tensor, "b k f"]: ...

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]: ...


class Dac(nn.Module):
    """A `vall_e.plugin.Codec` with 1024 entries per level; the rest depends on its weights."""

    codebook_size = 1024
    causal = False
    encode_context = decode_context = 14
    """In frames: the reach of the convolutions, rounded up for all three rates."""

    def __init__(self, network: DacNetwork, sizes: DacSizes, *, levels: int, identity: str) -> None:
        super().__init__()
        self.module = network.module
        self.sample_rate = sizes.sample_rate
        self.samples = sizes.samples
        self.frame_rate = sizes.sample_rate / sizes.samples
        self.levels = levels
        self.identity = identity
        self._network = network
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Codes of a waveform; an incomplete frame is padded with silence."""
        if not audio.shape[2]:
            return no_codes(audio, self.levels)
        return self._network.encode(whole_frames(checked(audio), self.samples), self.levels)

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Audio from the first n levels, 512 samples per frame at 44.1 kHz, otherwise 320."""
        if not codes.shape[2]:
            return no_sound(codes)
        return self._network.decode(codes)

    def stream(self) -> CodecStream:
        """Returns audio at the end only: its decoder is not causal."""
        return WholeStream(self.decode)


class Transformers:
    """The network of transformers."""

    def __init__(self, sizes: DacSizes, state: Mapping[str, Tensor]) -> None:
        self.module = unloaded(sizes)
        self.module.load_state_dict({name: state[name] for name in self.module.state_dict()})

    def encode(self, audio: Float[Tensor, "b 1 s"], levels: int) -> Int[Tensor, "b k f"]:
        codes: Tensor = self.module.encode(audio, n_quantizers=levels).audio_codes  # type: ignore[operator]
        return codes

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        sound: Tensor = self.module.decode(audio_codes=codes).audio_values  # type: ignore[operator]
        return sound[:, None]


class Reference:
    """The network of Descript's own package."""

    def __init__(self, sizes: DacSizes, state: Mapping[str, Tensor]) -> None:
        package = importlib.import_module("dac.model.dac")  # untyped, and rarely installed
        self.module: nn.Module = package.DAC(
            encoder_dim=sizes.encoder,
            encoder_rates=list(sizes.ratios),
            decoder_dim=sizes.decoder,
            decoder_rates=list(reversed(sizes.ratios)),
            n_codebooks=sizes.levels,
            sample_rate=sizes.sample_rate,
        )
        theirs = {}
        for name, tensor in self.module.state_dict().items():
            (ours,) = canonical({name: tensor}) if not _is_part(name) else (_whole(name),)
            found = state[ours]
            if _is_part(name):
                length, direction = split(found)
                found = length if name.endswith("_g") else direction
            theirs[name] = found.reshape(tensor.shape)
        self.module.load_state_dict(theirs)

    def encode(self, audio: Float[Tensor, "b 1 s"], levels: int) -> Int[Tensor, "b k f"]:
        codes: Tensor = self.module.encode(audio, levels)[1]  # type: ignore[operator]
        return codes

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        vectors = self.module.quantizer.from_codes(codes)[0]  # type: ignore[operator,union-attr]
        sound: Tensor = self.module.decode(vectors)  # type: ignore[operator]
        return sound


def open_dac(config: DacConfig) -> Dac:
    """The codec described by the config, with its weights."""
    sizes = PUBLISHED[config.sample_rate]
    if config.levels > sizes.levels:
        raise ConfigError(
            f"codec.levels: dac has {sizes.levels} levels at {sizes.sample_rate} Hz, got "
            f"{config.levels}",
            hint=f"set `levels: {sizes.levels}`",
        )
    file = HubFile(
        f"descript/dac_{sizes.sample_rate // 1000}khz",
        "model.safetensors",
        config.revision,
        config.sha256,
    )
    path = locate_on_hub(
        "dac", path=config.path, file=file, download=config.download, cache=config.cache
    )
    return dac_of(path, levels=config.levels, sizes=sizes, choice=config.implementation)


def dac_of(path: Path, *, levels: int, sizes: DacSizes, choice: DacImplementation = "auto") -> Dac:
    """A DAC with the weights in this file, of either project."""
    state = canonical(read_tensors(path))
    _require(state, sizes, path)
    build = _implementation(choice)
    log.info("DAC runs in %s", build.__name__)
    identity = f"dac-{sizes.sample_rate // 1000}k:{digest_of(state, _names_codes)}"
    return Dac(build(sizes, state), sizes, levels=levels, identity=identity)


def unloaded(sizes: DacSizes) -> nn.Module:
    """The network of transformers without weights."""
    if not imports("transformers"):
        raise UnavailableError(
            "DAC needs the package transformers (or dac)", hint="pip install 'transformers>=5'"
        )
    from transformers import DacConfig as HfConfig
    from transformers import DacModel

    module: nn.Module = DacModel(
        HfConfig(
            encoder_hidden_size=sizes.encoder,
            decoder_hidden_size=sizes.decoder,
            downsampling_ratios=list(sizes.ratios),
            n_codebooks=sizes.levels,
            sampling_rate=sizes.sample_rate,
        )
    )
    return module


def _implementation(choice: DacImplementation) -> type[Transformers] | type[Reference]:
    if choice != "transformers" and imports("dac"):
        return Reference
    if choice == "dac":
        raise UnavailableError(
            "the package dac cannot be imported here",
            hint="install descript-audio-codec and a torchaudio that matches torch, or set "
            "`implementation: transformers`",
        )
    return Transformers


def _require(state: Mapping[str, Tensor], sizes: DacSizes, path: Path) -> None:
    with torch.device("meta"):
        wanted = unloaded(sizes).state_dict()
    require_shapes(
        {name: tensor.shape for name, tensor in wanted.items()},
        state,
        f"{path} does not contain the weights of DAC at {sizes.sample_rate} Hz",
        hint="use model.safetensors of "
        f"https://huggingface.co/descript/dac_{sizes.sample_rate // 1000}khz, or set "
        "codec.sample_rate to that of your file",
    )


def _is_part(name: str) -> bool:
    return name.endswith((".weight_g", ".weight_v"))


def _whole(name: str) -> str:
    """What transformers calls the weight of which the package keeps two parts."""
    (found,) = canonical({f"{name[: -len('_g')]}": torch.zeros(())})
    return found


def _names_codes(name: str) -> bool:
    """Whether a tensor affects the codes, and both projects store it unchanged."""
    return name.startswith(("encoder.", "quantizer.")) and name.endswith(
        (".bias", ".alpha", ".codebook.weight")
    )
