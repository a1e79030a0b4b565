"""EnCodec at 24 kHz, mono (Défossez et al. 2022, https://arxiv.org/abs/2210.13438).

Run by the reference package `encodec` where it imports, else by the same architecture in
transformers, on the same weights. Weight files of both projects can be read.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import torch
from attrs import frozen
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CheckpointError, CodecStream, UnavailableError
from vall_e_codecs.audio_check import checked
from vall_e_codecs.components import EncodecConfig
from vall_e_codecs.importing import imports
from vall_e_codecs.weight_files import RemoteFile, locate, read_tensors
from vall_e_codecs.whole_stream import WholeStream

log = logging.getLogger(__name__)

WEIGHTS = RemoteFile(
    url="https://dl.fbaipublicfiles.com/encodec/v0/encodec_24khz-d7cc33bc.th",
    sha256="d7cc33bcf1aad7f2dad9836f36431530744abeace3ca033005e3290ed4fa47bf",
)
ENTRIES = 1024
LEVELS = 32
"""Levels that the weights have; a config uses the first of them."""

Implementation = Literal["encodec", "transformers"]


@frozen
class Sizes:
    """The network's sizes; tests make them small, the published weights have the defaults."""

    filters: int = 32
    dimension: int = 128
    ratios: tuple[int, ...] = (8, 5, 4, 2)
    lstm_layers: int = 2


@frozen(eq=False)
class Network:
    """The halves of an EnCodec, whoever wrote them. `quantizer` codes are (levels, b, f)."""

    module: nn.Module
    encoder: nn.Module
    decoder: nn.Module
    quantize: Callable[[Tensor], Tensor]
    dequantize: Callable[[Tensor], Tensor]


class Encodec(nn.Module):
    """A `vall_e.plugin.Codec`: 75 frames a second, up to 32 levels of 1024 entries."""

    sample_rate = 24_000
    frame_rate = 75.0
    codebook_size = ENTRIES
    causal = False

    def __init__(self, network: Network, *, levels: int, identity: str) -> None:
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
            return torch.zeros(len(audio), self.levels, 0, dtype=torch.long, device=audio.device)
        vectors = self._network.encoder(checked(audio))
        return self._network.quantize(vectors).transpose(0, 1)

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Sound from the first n levels, 320 samples a frame."""
        if not codes.shape[2]:
            return torch.zeros(len(codes), 1, 0, device=codes.device)
        sound: Tensor = self._network.decoder(self._network.dequantize(codes.transpose(0, 1)))
        return sound

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """The entries of its codebooks."""
        state = canonical(self.module.state_dict())
        return torch.stack(
            [state[f"quantizer.layers.{level}.codebook.embed"] for level in range(self.levels)]
        )

    def stream(self) -> CodecStream:
        """Speaks at the end only: its recurrent layers see the whole."""
        return WholeStream(self.decode)


def open_encodec(config: EncodecConfig) -> Encodec:
    """The codec that the config describes, with its weights."""
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
    choice: Literal["auto", "encodec", "transformers"] = "auto",
    sizes: Sizes | None = None,
) -> Encodec:
    """An EnCodec with the weights in this file, of either project."""
    state = canonical(read_tensors(path))
    implementation = _implementation(choice)
    log.info("EnCodec runs in the package %s", implementation)
    build = _reference if implementation == "encodec" else _transformers
    network = build(sizes or Sizes(), levels)
    names = reference_names(state) if implementation == "encodec" else state
    _load(network.module, names, path)
    return Encodec(network, levels=levels, identity=f"encodec-24k:{_digest(state)}")


def canonical(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names that transformers gives the tensors, from either project's names."""
    renamed = {}
    for name, tensor in state.items():
        for theirs, ours in NAMES:
            name = name.replace(theirs, ours)
        renamed[name] = tensor
    return renamed


def reference_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names of the package `encodec`, from canonical ones."""
    return {_reference_name(name): tensor for name, tensor in state.items()}


NAMES = (
    ("quantizer.vq.layers.", "quantizer.layers."),
    ("._codebook.", ".codebook."),
    ("encoder.model.", "encoder.layers."),
    ("decoder.model.", "decoder.layers."),
    (".convtr.convtr.", ".conv."),
    (".conv.conv.", ".conv."),
    (".weight_g", ".parametrizations.weight.original0"),
    (".weight_v", ".parametrizations.weight.original1"),
)


UPSAMPLING = (3, 6, 9, 12)
"""The decoder's layers that are transposed convolutions."""


def _reference_name(name: str) -> str:
    """Undo `NAMES`."""
    if name.startswith("quantizer."):
        return name.replace("quantizer.layers.", "quantizer.vq.layers.").replace(
            ".codebook.", "._codebook."
        )
    half, _, rest = name.partition(".layers.")
    name = f"{half}.model.{rest}"
    name = name.replace(".parametrizations.weight.original0", ".weight_g")
    name = name.replace(".parametrizations.weight.original1", ".weight_v")
    index = int(rest.split(".")[0])
    if half == "decoder" and index in UPSAMPLING and rest.split(".")[1] == "conv":
        return name.replace(".conv.", ".convtr.convtr.")
    return name.replace(".conv.", ".conv.conv.")


def _implementation(choice: Literal["auto", "encodec", "transformers"]) -> Implementation:
    if choice != "transformers" and imports("encodec"):
        return "encodec"
    if choice == "encodec":
        raise UnavailableError(
            "the package encodec cannot be imported here",
            hint="install encodec and a torchaudio that fits torch, or set "
            "`implementation: transformers`",
        )
    if not imports("transformers"):
        raise UnavailableError(
            "EnCodec needs the package transformers (or encodec)",
            hint="pip install 'vall-e[encodec]'",
        )
    return "transformers"


def _transformers(sizes: Sizes, levels: int) -> Network:
    from transformers import EncodecConfig as HfConfig
    from transformers import EncodecModel

    model = EncodecModel(
        HfConfig(
            num_filters=sizes.filters,
            hidden_size=sizes.dimension,
            codebook_dim=sizes.dimension,
            upsampling_ratios=list(sizes.ratios),
            num_lstm_layers=sizes.lstm_layers,
        )
    )

    def quantize(vectors: Tensor) -> Tensor:
        codes: Tensor = model.quantizer.encode(vectors, levels * 0.75)  # 750 bit/s a level
        return codes

    return Network(model, model.encoder, model.decoder, quantize, model.quantizer.decode)


def _reference(sizes: Sizes, levels: int) -> Network:
    package = importlib.import_module("encodec.model")  # untyped, and seldom installed
    options = {
        "channels": 1,
        "dimension": sizes.dimension,
        "n_filters": sizes.filters,
        "ratios": list(sizes.ratios),
        "lstm": sizes.lstm_layers,
        "norm": "weight_norm",
        "causal": True,
    }
    model = package.EncodecModel(
        package.m.SEANetEncoder(**options),
        package.m.SEANetDecoder(**options),
        package.qt.ResidualVectorQuantizer(dimension=sizes.dimension, n_q=LEVELS, bins=ENTRIES),
        [1.5, 3.0, 6.0, 12.0, 24.0],
        Encodec.sample_rate,
        channels=1,
    )

    def quantize(vectors: Tensor) -> Tensor:
        codes: Tensor = model.quantizer.vq.encode(vectors, n_q=levels)
        return codes

    return Network(model, model.encoder, model.decoder, quantize, model.quantizer.decode)


def _load(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    wanted = module.state_dict()
    missing = [name for name in wanted if name not in state and name not in _derived(wanted)]
    wrong = [n for n, t in wanted.items() if n in state and state[n].shape != t.shape]
    if missing or wrong:
        raise CheckpointError(
            f"{path} does not hold the weights of the 24 kHz EnCodec: {len(missing)} tensors are "
            f"missing and {len(wrong)} have another shape, such as {(missing + wrong)[0]}",
            hint="give encodec_24khz-d7cc33bc.th, or model.safetensors of facebook/encodec_24khz",
        )
    module.load_state_dict({n: t for n, t in state.items() if n in wanted}, strict=False)


def _derived(wanted: Mapping[str, Tensor]) -> set[str]:
    """Buffers that the network computes from its sizes: not every file holds them."""
    ends = (".stride", ".kernel_size", ".padding_total", ".inited", ".cluster_size", ".embed_avg")
    return {name for name in wanted if name.endswith(ends)}


def _digest(state: Mapping[str, Tensor]) -> str:
    """Names encoder and codebooks, whichever file they came in."""
    digest = hashlib.sha256()
    for name in sorted(state):
        if name.startswith("encoder.") or name.endswith(".codebook.embed"):
            if name.endswith((".stride", ".kernel_size", ".padding_total")):
                continue
            digest.update(name.encode() + state[name].float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]
