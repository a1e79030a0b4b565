"""The networks of EnCodec: from the package `encodec` or transformers, with the same weights."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import torch
from attrs import frozen
from torch import Tensor, nn

from vall_e.plugin import UnavailableError
from vall_e_codecs.encodec_names import canonical, reference_names
from vall_e_codecs.package_check import imports
from vall_e_codecs.weight_files import digest_of, read_tensors, require_shapes

log = logging.getLogger(__name__)

ENTRIES = 1024
Implementation = Literal["encodec", "transformers"]
EncodecImplementation = Literal["auto", "encodec", "transformers"]


@frozen
class EncodecSizes:
    """The differences between EnCodec models; tests make the first four small."""

    filters: int = 32
    dimension: int = 128
    ratios: tuple[int, ...] = (8, 5, 4, 2)
    lstm_layers: int = 2
    sample_rate: int = 24_000
    channels: int = 1
    causal: bool = True
    """Otherwise it has look-ahead, and normalizes over the whole input."""
    kilobits: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0, 24.0)
    """Bandwidth that it was trained with, per second."""
    published: str = "encodec_24khz-d7cc33bc.th"
    """The name of its weights file on Meta's server."""

    @property
    def kilobits_a_level(self) -> float:
        """Per second; a frame has 320 samples, and its code 10 bits."""
        return self.sample_rate / 320 * 10 / 1000

    @property
    def levels(self) -> int:
        """Levels in the weights; a config uses the first of them."""
        return int(self.kilobits[-1] / self.kilobits_a_level)

    @property
    def repository(self) -> str:
        """Repository of its weights on the Hugging Face hub."""
        return f"facebook/encodec_{self.sample_rate // 1000}khz"

    @property
    def norm(self) -> str:
        return "weight_norm" if self.causal else "time_group_norm"


@frozen(eq=False)
class EncodecNetwork:
    """Encoder and decoder of an EnCodec, from either project. `quantize` gives (levels, b, f)."""

    module: nn.Module
    encoder: nn.Module
    decoder: nn.Module
    quantize: Callable[[Tensor], Tensor]
    dequantize: Callable[[Tensor], Tensor]

    def code_vectors(self, levels: int) -> Tensor:
        """The entries of the first codebooks: (levels, entries, dimension)."""
        state = canonical(self.module.state_dict())
        return torch.stack([state[f"quantizer.layers.{n}.codebook.embed"] for n in range(levels)])


def network_of(
    path: Path, sizes: EncodecSizes, *, levels: int, choice: EncodecImplementation = "auto"
) -> tuple[EncodecNetwork, str]:
    """The network with the weights in this file, of either project, and the digest of its codes."""
    state = canonical(read_tensors(path))
    implementation = _implementation(choice)
    log.info("EnCodec runs in the package %s", implementation)
    network = unloaded(sizes, levels, implementation)
    names = reference_names(state) if implementation == "encodec" else state
    _load(network.module, names, path, sizes)
    return network, digest_of(state, _names_codes)


def unloaded(sizes: EncodecSizes, levels: int, implementation: Implementation) -> EncodecNetwork:
    """The network without weights, with this many levels."""
    return (_reference if implementation == "encodec" else _transformers)(sizes, levels)


def _implementation(choice: EncodecImplementation) -> Implementation:
    if choice != "transformers" and imports("encodec"):
        return "encodec"
    if choice == "encodec":
        raise UnavailableError(
            "the package encodec cannot be imported here",
            hint="install encodec and a torchaudio that matches torch, or set "
            "`implementation: transformers`",
        )
    if not imports("transformers"):
        raise UnavailableError(
            "EnCodec needs the package transformers (or encodec)",
            hint="pip install 'vall-e[encodec]'",
        )
    return "transformers"


def _transformers(sizes: EncodecSizes, levels: int) -> EncodecNetwork:
    from transformers import EncodecConfig as HfConfig
    from transformers import EncodecModel

    model = EncodecModel(
        HfConfig(
            target_bandwidths=list(sizes.kilobits),
            sampling_rate=sizes.sample_rate,
            audio_channels=sizes.channels,
            num_filters=sizes.filters,
            hidden_size=sizes.dimension,
            codebook_dim=sizes.dimension,
            upsampling_ratios=list(sizes.ratios),
            num_lstm_layers=sizes.lstm_layers,
            use_causal_conv=sizes.causal,
            norm_type=sizes.norm,
        )
    )

    def quantize(vectors: Tensor) -> Tensor:
        codes: Tensor = model.quantizer.encode(vectors, levels * sizes.kilobits_a_level)
        return codes

    return EncodecNetwork(model, model.encoder, model.decoder, quantize, model.quantizer.decode)


def _reference(sizes: EncodecSizes, levels: int) -> EncodecNetwork:
    package = importlib.import_module("encodec.model")  # untyped, and rarely installed
    options = {
        "channels": sizes.channels,
        "dimension": sizes.dimension,
        "n_filters": sizes.filters,
        "ratios": list(sizes.ratios),
        "lstm": sizes.lstm_layers,
        "norm": sizes.norm,
        "causal": sizes.causal,
    }
    quantizer = package.qt.ResidualVectorQuantizer(
        dimension=sizes.dimension, n_q=sizes.levels, bins=ENTRIES
    )
    model = package.EncodecModel(
        package.m.SEANetEncoder(**options),
        package.m.SEANetDecoder(**options),
        quantizer,
        list(sizes.kilobits),
        sizes.sample_rate,
        sizes.channels,
    )

    def quantize(vectors: Tensor) -> Tensor:
        codes: Tensor = model.quantizer.vq.encode(vectors, n_q=levels)
        return codes

    return EncodecNetwork(model, model.encoder, model.decoder, quantize, model.quantizer.decode)


def _load(module: nn.Module, state: Mapping[str, Tensor], path: Path, sizes: EncodecSizes) -> None:
    wanted = {
        name: tensor.shape
        for name, tensor in module.state_dict().items()
        if name in state or not _is_derived(name)
    }
    require_shapes(
        wanted,
        state,
        f"{path} does not contain the weights of the {sizes.sample_rate // 1000} kHz EnCodec",
        hint=f"use {sizes.published}, or model.safetensors of {sizes.repository}",
    )
    module.load_state_dict({name: state[name] for name in wanted}, strict=False)


def _is_derived(name: str) -> bool:
    """Whether it is a buffer computed from the sizes, which not every file contains."""
    ends = (".stride", ".kernel_size", ".padding_total", ".inited", ".cluster_size", ".embed_avg")
    return name.endswith(ends)


def _names_codes(name: str) -> bool:
    """Whether a tensor affects the codes, and every file contains it."""
    ends = (".stride", ".kernel_size", ".padding_total")
    return name.endswith(".codebook.embed") or (
        name.startswith("encoder.") and not name.endswith(ends)
    )
