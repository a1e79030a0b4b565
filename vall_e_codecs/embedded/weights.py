"""The codec's file: one safetensors with codebooks, settings and, once trained, the vocoder."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from attrs import asdict, frozen
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vall_e.plugin import CheckpointError, damage_as
from vall_e_codecs.embedded.analysis import AnalysisSettings
from vall_e_codecs.embedded.quantizer import ResidualQuantizer

FORMAT = "vall-e-embedded-codec-1"
LARGEST_SETTING = 1_000_000
"""Sizes are at most thousands, rates at most hundreds of thousands of hertz."""


@frozen(eq=False)
class CodecWeights:
    """The content of the file. `vocoder` is empty while only the codebooks exist."""

    analysis: AnalysisSettings
    quantizer: ResidualQuantizer
    vocoder_settings: Mapping[str, int | float]
    vocoder: Mapping[str, Tensor]

    @property
    def sample_rate(self) -> int:
        """Hz of the sound; the analysis may look at less of the band."""
        hop = int(self.vocoder_settings.get("hop", self.analysis.hop))
        return self.analysis.sample_rate * hop // self.analysis.hop

    @property
    def identity(self) -> str:
        """Covers analysis and codebooks only: a better vocoder decodes the same codes."""
        digest = hashlib.sha256(json.dumps(asdict(self.analysis), sort_keys=True).encode())
        for name, tensor in sorted(self.quantizer.state_dict().items()):
            digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
        return f"embedded-{self.analysis.sample_rate // 1000}k:{digest.hexdigest()[:8]}"


def save(weights: CodecWeights, path: Path) -> None:
    """Write in half precision; the codebooks are exact in it. Whole or not at all."""
    tensors = {f"quantizer.{k}": v for k, v in weights.quantizer.state_dict().items()}
    tensors["quantizer.codebooks"] = tensors["quantizer.codebooks"].half()
    tensors |= {f"vocoder.{k}": v.half() for k, v in weights.vocoder.items()}
    part = path.with_name(path.name + ".part")
    save_file(
        {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
        part,
        metadata={
            "format": FORMAT,
            "analysis": json.dumps(asdict(weights.analysis)),
            "vocoder": json.dumps(dict(weights.vocoder_settings)),
        },
    )
    os.replace(part, path)


def load(path: Path) -> CodecWeights:
    """Read a file that `save` wrote."""
    with reading_codec(path), safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise CheckpointError(
                f"{path} is not an embedded codec (format {metadata.get('format')!r}, "
                f"expected {FORMAT!r})",
                hint="use a file that `vall-e codec fit` or `vall-e codec train` wrote",
            )
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found = CodecWeights(
            analysis=AnalysisSettings(**json.loads(metadata["analysis"])),
            quantizer=ResidualQuantizer(
                tensors["quantizer.codebooks"],
                tensors["quantizer.mean"],
                tensors["quantizer.scale"],
            ),
            vocoder_settings=json.loads(metadata["vocoder"]),
            vocoder={
                name.removeprefix("vocoder."): tensor.to(torch.float32)
                for name, tensor in tensors.items()
                if name.startswith("vocoder.")
            },
        )
        _require_possible(found)
    return found


def reading_codec(path: Path) -> AbstractContextManager[None]:
    """Whatever a damaged codec raises becomes a `CheckpointError` that names it."""
    return damage_as(
        CheckpointError,
        path,
        what="is not a readable codec",
        hint="check the path, or leave it out to use the codec included in VALL-E",
    )


def _require_possible(found: CodecWeights) -> None:
    """Raise an exception for settings that no codec has, before memory is taken for them."""
    books, dimension = found.quantizer.codebooks, found.analysis.dimension
    sizes = (books.shape[-1], *found.quantizer.mean.shape, *found.quantizer.scale.shape)
    if books.ndim != 3 or not books.numel() or sizes != (dimension,) * 3:
        raise ValueError(f"codebooks of the shape {tuple(books.shape)} for {dimension} numbers")
    if found.sample_rate < 1:
        raise ValueError("its sample rate is 0")
    for settings in (asdict(found.analysis), found.vocoder_settings):
        for name, value in settings.items():
            if not isinstance(value, (int, float)) or not 0 <= value <= LARGEST_SETTING:
                raise ValueError(f"{name} is {value!r}")
