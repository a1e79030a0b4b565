"""Fit the codebooks: k-means on the vectors, then on the residuals, level by level."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from attrs import frozen
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.plugin import DataError
from vall_e_codecs.embedded.analysis import Analysis, AnalysisSettings
from vall_e_codecs.embedded.quantizer import ResidualQuantizer, nearest
from vall_e_codecs.embedded.recordings import Recordings, balanced_shares

GAIN_DECIBELS = 6.0  # levels of recordings are changed by up to this much

CHUNK = 16_384  # rows per matrix product: keeps the distances of a pass out of main memory


@frozen
class FitSettings:
    """Effort of the search."""

    levels: int = 8
    codebook_size: int = 1024
    rough_vectors: int = 40_000
    rough_passes: int = 12
    """Lloyd passes over `rough_vectors` first, which is quick and gets most of the way."""
    passes: int = 6
    """Lloyd passes over everything."""
    seed: int = 0


def draw_vectors(
    sources: Sequence[Recordings], analysis: AnalysisSettings, count: int, *, seed: int
) -> Float[Tensor, "n d"]:
    """Vectors of whole recordings, equal shares of each source as far as possible."""
    rng = np.random.default_rng(seed)
    sizes = [int(source.ends[-1]) // analysis.hop for source in sources]
    shares = balanced_shares(sizes, count)
    analyse = Analysis(analysis)
    drawn = []
    for source, share in zip(sources, shares, strict=True):
        found = 0
        for i in rng.permutation(len(source)):
            if found >= share:
                break
            gain = np.float32(10 ** (rng.uniform(-GAIN_DECIBELS, GAIN_DECIBELS) / 20))
            vectors = analyse(torch.from_numpy(source[int(i)] * gain)[None])[0, : share - found]
            drawn.append(vectors)
            found += len(vectors)
    return torch.cat(drawn)


def fit(
    vectors: Float[Tensor, "n d"],
    settings: FitSettings,
    *,
    subframes: int,
    progress: Callable[[int, float], None] = lambda level, error: None,
) -> ResidualQuantizer:
    """Codebooks for these vectors, rounded to half precision, in which they are stored.

    `progress` is called with each level's error (1: nothing is explained).
    """
    if len(vectors) < 2 * settings.codebook_size:
        raise DataError(
            f"{len(vectors)} code frames are too few for {settings.codebook_size} entries",
            hint="add recordings: an hour has 180,000 frames",
        )
    generator = torch.Generator().manual_seed(settings.seed)
    mean = vectors.reshape(len(vectors), subframes, -1).mean((0, 1)).repeat(subframes)
    # one scale for all bands: an error of a decibel counts the same in each
    scale = (vectors - mean).square().mean().sqrt().expand(len(mean)).clone()
    residual = (vectors - mean) / scale
    codebooks = []
    for level in range(settings.levels):
        codebook = _kmeans(residual, settings, generator).half()
        residual = residual - codebook.float()[_assign(residual, codebook.float())]
        codebooks.append(codebook)
        progress(level, residual.square().mean().item())
    return ResidualQuantizer(torch.stack(codebooks), mean, scale)


def _kmeans(
    vectors: Float[Tensor, "n d"], settings: FitSettings, generator: torch.Generator
) -> Float[Tensor, "v d"]:
    order = torch.randperm(len(vectors), generator=generator)
    rough = vectors[order[: settings.rough_vectors]]
    codebook = rough[: settings.codebook_size].clone()
    for data, passes in ((rough, settings.rough_passes), (vectors, settings.passes)):
        for _ in range(passes):
            codebook = _lloyd(data, codebook, generator)
    return codebook


def _lloyd(
    vectors: Float[Tensor, "n d"], codebook: Float[Tensor, "v d"], generator: torch.Generator
) -> Float[Tensor, "v d"]:
    """One pass: each entry moves to the mean of its vectors; unused ones split the largest."""
    codes = _assign(vectors, codebook)
    counts = torch.bincount(codes, minlength=len(codebook))
    sums = torch.zeros_like(codebook).index_add_(0, codes, vectors)
    moved = sums / counts.clamp(min=1)[:, None]
    idle = (counts < 2).nonzero().flatten()
    if len(idle):
        busy = counts.argsort(descending=True)[: len(idle)]
        noise = torch.randn(moved[busy].shape, generator=generator)
        moved[idle] = moved[busy] + 0.01 * vectors.std() * noise
    return moved


def _assign(vectors: Float[Tensor, "n d"], codebook: Float[Tensor, "v d"]) -> Int[Tensor, " n"]:
    return torch.cat([nearest(part, codebook) for part in torch.split(vectors, CHUNK)])
