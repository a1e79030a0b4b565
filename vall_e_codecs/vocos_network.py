"""The network of Vocos for EnCodec's codes (https://arxiv.org/abs/2306.00814): ours, or theirs."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Literal

import torch
from attrs import frozen
from jaxtyping import Float, Int
from torch import Tensor, nn

from vall_e.plugin import UnavailableError
from vall_e_codecs.encodec_network import ENTRIES
from vall_e_codecs.package_check import imports
from vall_e_codecs.weight_files import read_tensors, require_shapes

log = logging.getLogger(__name__)

LEVELS = (2, 4, 8, 16)
"""Numbers of levels that it was trained with; each has its own normalization."""


@frozen
class VocosSizes:
    """The network's sizes; tests make them small, the published weights have the defaults."""

    dimension: int = 128
    width: int = 384
    inner: int = 1152
    layers: int = 8
    fft: int = 1280
    hop: int = 320


class VocosNetwork(nn.Module):
    """Same names and mathematics as the published weights, without the EnCodec in them."""

    def __init__(self, sizes: VocosSizes) -> None:
        super().__init__()
        self.feature_extractor = Codebooks(sizes)
        self.backbone = VocosBackbone(sizes)
        self.head = Head(sizes)

    def forward(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b s"]:
        vectors = self.feature_extractor(codes)
        sound: Tensor = self.head(self.backbone(vectors, bandwidth(codes.shape[1])))
        return sound


class Codebooks(nn.Module):
    """One table of all levels' entries."""

    def __init__(self, sizes: VocosSizes) -> None:
        super().__init__()
        rows = max(LEVELS) * ENTRIES
        self.codebook_weights = nn.Parameter(torch.zeros(rows, sizes.dimension))

    def forward(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b f d"]:
        levels = torch.arange(codes.shape[1], device=codes.device)
        entries = codes + ENTRIES * levels[:, None]
        return nn.functional.embedding(entries, self.codebook_weights).sum(1)


def bandwidth(levels: int) -> int:
    """Index of the smallest bandwidth in training that has this many levels."""
    return next(i for i, most in enumerate(LEVELS) if levels <= most)


class VocosBackbone(nn.Module):
    """ConvNeXt blocks at the frame rate."""

    def __init__(self, sizes: VocosSizes) -> None:
        super().__init__()
        self.embed = nn.Conv1d(sizes.dimension, sizes.width, kernel_size=7, padding=3)
        self.norm = AdaptiveNorm(sizes.width)
        self.convnext = nn.ModuleList(VocosBlock(sizes) for _ in range(sizes.layers))
        self.final_layer_norm = nn.LayerNorm(sizes.width, eps=1e-6)

    def forward(self, vectors: Float[Tensor, "b f d"], condition: int) -> Float[Tensor, "b f w"]:
        x = self.norm(self.embed(vectors.transpose(1, 2)).transpose(1, 2), condition)
        for block in self.convnext:
            x = block(x, condition)
        normed: Tensor = self.final_layer_norm(x)
        return normed


class VocosBlock(nn.Module):
    def __init__(self, sizes: VocosSizes) -> None:
        super().__init__()
        width = sizes.width
        self.dwconv = nn.Conv1d(width, width, kernel_size=7, padding=3, groups=width)
        self.norm = AdaptiveNorm(width)
        self.pwconv1 = nn.Linear(width, sizes.inner)
        self.pwconv2 = nn.Linear(sizes.inner, width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "b f w"], condition: int) -> Float[Tensor, "b f w"]:
        y = self.norm(self.dwconv(x.transpose(1, 2)).transpose(1, 2), condition)
        change: Tensor = self.pwconv2(nn.functional.gelu(self.pwconv1(y)))
        return x + self.gamma * change


class AdaptiveNorm(nn.Module):
    """Layer norm whose scale and shift are looked up by bandwidth."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Embedding(len(LEVELS), width)
        self.shift = nn.Embedding(len(LEVELS), width)

    def forward(self, x: Float[Tensor, "b f w"], condition: int) -> Float[Tensor, "b f w"]:
        normed = nn.functional.layer_norm(x, x.shape[-1:], eps=1e-6)
        return normed * self.scale.weight[condition] + self.shift.weight[condition]


class Head(nn.Module):
    """Magnitude and phase of one spectrum per frame, and the overlapped waveform."""

    def __init__(self, sizes: VocosSizes) -> None:
        super().__init__()
        self.hop, self.fft = sizes.hop, sizes.fft
        self.out = nn.Linear(sizes.width, sizes.fft + 2)
        self.istft = IstftWindow(sizes)

    def forward(self, x: Float[Tensor, "b f w"]) -> Float[Tensor, "b s"]:
        log_magnitude, phase = self.out(x).chunk(2, dim=2)
        spectrum = torch.polar(log_magnitude.exp().clamp(max=100.0), phase)
        window = self.istft.window
        pieces = torch.fft.irfft(spectrum, n=self.fft) * window  # (b, f, fft)
        weight = window.square().expand_as(pieces)
        margin = (self.fft - self.hop) // 2
        sound = self._overlap(pieces) / self._overlap(weight).clamp(min=1e-11)
        return sound[:, margin : sound.shape[1] - margin]

    def _overlap(self, pieces: Float[Tensor, "b f n"]) -> Float[Tensor, "b s"]:
        length = (pieces.shape[1] - 1) * self.hop + self.fft
        folded = nn.functional.fold(
            pieces.transpose(1, 2), (1, length), kernel_size=(1, self.fft), stride=(1, self.hop)
        )
        return folded[:, 0, 0]


class IstftWindow(nn.Module):
    """Named as in the weight file."""

    def __init__(self, sizes: VocosSizes) -> None:
        super().__init__()
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(sizes.fft))


class ReferenceNetwork(nn.Module):
    """The package `vocos`, without its own copy of EnCodec."""

    def __init__(self, sizes: VocosSizes) -> None:
        super().__init__()
        heads = importlib.import_module("vocos.heads")  # untyped, and rarely installed
        models = importlib.import_module("vocos.models")
        self.feature_extractor = Codebooks(sizes)
        self.backbone = models.VocosBackbone(
            input_channels=sizes.dimension,
            dim=sizes.width,
            intermediate_dim=sizes.inner,
            num_layers=sizes.layers,
            adanorm_num_embeddings=len(LEVELS),
        )
        self.head = heads.ISTFTHead(
            dim=sizes.width, n_fft=sizes.fft, hop_length=sizes.hop, padding="same"
        )

    def forward(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b s"]:
        vectors = self.feature_extractor(codes).transpose(1, 2)
        condition = torch.tensor([bandwidth(codes.shape[1])], device=codes.device)
        sound: Tensor = self.head(self.backbone(vectors, bandwidth_id=condition))
        return sound


def network_of(
    path: Path,
    *,
    choice: Literal["auto", "vocos", "vall-e"] = "auto",
    sizes: VocosSizes | None = None,
) -> nn.Module:
    """The network with the weights in this file."""
    reference = choice != "vall-e" and imports("vocos")
    if choice == "vocos" and not reference:
        raise UnavailableError(
            "the package vocos cannot be imported here",
            hint="install vocos, encodec and a torchaudio that matches torch, or set "
            "`implementation: vall-e`",
        )
    log.info("Vocos runs in %s", "the package vocos" if reference else "vall-e")
    network = (ReferenceNetwork if reference else VocosNetwork)(sizes or VocosSizes())
    state = read_tensors(path)
    wanted = network.state_dict()
    require_shapes(
        {name: tensor.shape for name, tensor in wanted.items()},
        state,
        f"{path} does not contain the weights of Vocos for EnCodec",
        hint="use pytorch_model.bin of charactr/vocos-encodec-24khz",
    )
    network.load_state_dict({name: state[name] for name in wanted})
    return network.requires_grad_(requires_grad=False).eval()
