"""DAC at 44.1 kHz (Descript Audio Codec, Kumar et al. 2023, https://arxiv.org/abs/2306.06546).

Run by its architecture in transformers, on the weights that Descript keeps on the Hugging Face hub.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from attrs import frozen
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from vall_e.plugin import CheckpointError, CodecStream, DownloadError, UnavailableError
from vall_e_codecs.audio_check import checked
from vall_e_codecs.components import DacConfig
from vall_e_codecs.importing import imports
from vall_e_codecs.weight_files import read_tensors
from vall_e_codecs.whole_stream import WholeStream

NORMS = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
"""Length and direction of a weight, where a file holds the two apart."""


@frozen
class Sizes:
    """The network's sizes; tests make them small, the published weights have the defaults."""

    encoder: int = 64
    decoder: int = 1536
    ratios: tuple[int, ...] = (2, 4, 8, 8)


class Dac(nn.Module):
    """A `vall_e.plugin.Codec`: 44100 / 512 = 86.1 frames a second, up to 9 levels of 1024."""

    sample_rate = 44_100
    codebook_size = 1024
    causal = False

    def __init__(self, module: nn.Module, *, levels: int, samples: int, identity: str) -> None:
        """`samples`: in a frame."""
        super().__init__()
        self.module = module
        self.levels = levels
        self.samples = samples
        self.frame_rate = self.sample_rate / samples
        self.identity = identity
        self.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def encode(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """Codes of a waveform at 44.1 kHz; a started frame is filled up with silence."""
        if not audio.shape[2]:
            return torch.zeros(len(audio), self.levels, 0, dtype=torch.long, device=audio.device)
        frames = math.ceil(audio.shape[2] / self.samples)
        padded = nn.functional.pad(checked(audio), (0, frames * self.samples - audio.shape[2]))
        codes: Tensor = self.module.encode(padded, n_quantizers=self.levels).audio_codes  # type: ignore[operator]
        return codes

    @torch.no_grad()
    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Sound from the first n levels, 512 samples a frame."""
        if not codes.shape[2]:
            return torch.zeros(len(codes), 1, 0, device=codes.device)
        sound: Tensor = self.module.decode(audio_codes=codes).audio_values  # type: ignore[operator]
        return sound[:, None]

    def stream(self) -> CodecStream:
        """Speaks at the end only: its decoder sees both ways."""
        return WholeStream(self.decode)


def open_dac(config: DacConfig) -> Dac:
    """The codec that the config describes, with its weights."""
    if config.path is None:
        raise DownloadError(
            "the weights of dac are not on this machine",
            hint="fetch model.safetensors of https://huggingface.co/descript/dac_44khz and set "
            "`path:` to it",
        )
    return dac_of(config.path.expanduser(), levels=config.levels)


def dac_of(path: Path, *, levels: int, sizes: Sizes | None = None) -> Dac:
    """A DAC with the weights in this file."""
    sizes = sizes or Sizes()
    state = folded(read_tensors(path))
    module = network(sizes)
    _load(module, state, path)
    samples = math.prod(sizes.ratios)
    return Dac(module, levels=levels, samples=samples, identity=f"dac-44k:{_digest(state)}")


def network(sizes: Sizes) -> nn.Module:
    """The network without weights."""
    if not imports("transformers"):
        raise UnavailableError(
            "DAC needs the package transformers", hint="pip install 'vall-e[encodec]'"
        )
    from transformers import DacConfig as HfConfig
    from transformers import DacModel

    module: nn.Module = DacModel(
        HfConfig(
            encoder_hidden_size=sizes.encoder,
            decoder_hidden_size=sizes.decoder,
            downsampling_ratios=list(sizes.ratios),
            n_codebooks=9,
            sampling_rate=Dac.sample_rate,
        )
    )
    return module


def folded(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With one tensor for each weight that is stored as a length and a direction."""
    found = dict(state)
    for length_end, direction_end in NORMS:
        for name in [name for name in state if name.endswith(length_end)]:
            stem = name.removesuffix(length_end)
            length, direction = found.pop(name), found.pop(stem + direction_end)
            size = direction.flatten(1).norm(dim=1).view(-1, *(1,) * (direction.ndim - 1))
            found[stem + ".weight"] = direction * (length / size)
    return found


def _load(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    wanted = module.state_dict()
    wrong = [n for n, t in wanted.items() if n not in state or state[n].shape != t.shape]
    if wrong:
        raise CheckpointError(
            f"{path} does not hold the weights of the 44.1 kHz DAC: {len(wrong)} tensors are "
            f"missing or have another shape, such as {wrong[0]}",
            hint="give model.safetensors of https://huggingface.co/descript/dac_44khz",
        )
    module.load_state_dict({name: state[name] for name in wanted})


def _digest(state: Mapping[str, Tensor]) -> str:
    """Names encoder and codebooks."""
    digest = hashlib.sha256()
    for name in sorted(state):
        if name.startswith(("encoder.", "quantizer.")):
            digest.update(name.encode() + state[name].float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]
