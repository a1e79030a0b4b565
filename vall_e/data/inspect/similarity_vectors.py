"""A vector for each utterance of a dataset; similar utterances have similar directions."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.codec.encode import decode
from vall_e.data.dataset.manifest import Entry
from vall_e.errors import DataError, UnavailableError
from vall_e.interfaces.codec import Codec, Vectored
from vall_e.interfaces.embedder import Embedder
from vall_e.interfaces.store import Stored
from vall_e.weights.file import Bundle

Feature = Callable[[Entry], Float[Tensor, " d"]]
GRAMS = 3
"""Length of symbol sequences."""
BUCKETS = 1024
RATE, FFT, HOP, BANDS, KEPT = 16_000, 512, 160, 40, 20
"""For the cepstra: sample rate, window and step in samples, mel bands, coefficients."""


def same_codec(dataset: Stored, codec: Codec) -> Codec:
    """The codec; raises `DataError` if the dataset has another one."""
    if codec.identity != dataset.info.codec:
        raise DataError(
            f"{dataset.folder} has codes of {dataset.info.codec}, but the codec is "
            f"{codec.identity}",
            hint="give the YAML file that it was made with: -c run.yaml",
        )
    return codec


def by_text(entry: Entry) -> Float[Tensor, " d"]:
    """How often each sequence of three phonemes occurs, in 1024 buckets."""
    text = f" {entry.phonemes or entry.text} "
    grams = [text[at : at + GRAMS] for at in range(max(1, len(text) - GRAMS + 1))]
    found = torch.zeros(BUCKETS)
    for gram in grams:
        found[zlib.crc32(gram.encode()) % BUCKETS] += 1
    return found


def by_codes(dataset: Stored, codec: Codec) -> Feature:
    """The mean of the codec's vectors of the codes, over levels and frames."""
    if not isinstance(codec, Vectored):
        raise UnavailableError(
            f"the codec {codec.identity} has no vectors of its codes",
            hint="use --by model with -m, or --by mfcc",
        )
    return summed(dataset, codec.code_vectors())


def summed(dataset: Stored, vectors: Float[Tensor, "k v c"]) -> Feature:
    """The mean over the frames of the sum over the levels of these vectors of the codes."""
    levels = torch.arange(len(vectors))[:, None]

    def feature(entry: Entry) -> Float[Tensor, " c"]:
        codes = torch.from_numpy(dataset.codes(entry))[: len(vectors)]
        return vectors[levels[: len(codes)], codes].float().sum(dim=0).mean(dim=0)

    return feature


def by_mfcc(dataset: Stored, codec: Codec) -> Feature:
    """The timbre of the decoded codes."""

    def feature(entry: Entry) -> Float[Tensor, " d"]:
        return timbre(torch.from_numpy(_sound(dataset, entry, codec).resample(RATE).samples))

    return feature


def timbre(samples: Float[Tensor, " s"]) -> Float[Tensor, " d"]:
    """Mean and deviation of the mel cepstra (Davis and Mermelstein 1980) of sound at 16 kHz."""
    samples = samples / samples.square().mean().sqrt().clamp(min=1e-8)
    padded = torch.nn.functional.pad(samples, (0, max(0, FFT - len(samples))))
    window = torch.hann_window(FFT)
    power = torch.stft(padded, FFT, HOP, window=window, return_complex=True).abs() ** 2
    cepstra = _cosines() @ torch.log(_mel_bands() @ power + 1e-8)
    return torch.cat([cepstra.mean(dim=1), cepstra.std(dim=1, unbiased=False)])[1:]  # no loudness


def by_voice(dataset: Stored, codec: Codec, embedder: Embedder) -> Feature:
    """An embedder's vector of the decoded codes; zeros if it finds no speech."""

    def feature(entry: Entry) -> Float[Tensor, " d"]:
        vector = embedder(_sound(dataset, entry, codec))
        return torch.zeros(1) if vector is None else torch.from_numpy(vector)

    return feature


def by_model(dataset: Stored, bundle: Bundle) -> Feature:
    """The mean over the frames of a model's prompt embeddings of the codes."""
    if bundle.codec != dataset.info.codec:
        raise DataError(
            f"{dataset.folder} has codes of {dataset.info.codec}, but the model uses "
            f"{bundle.codec}",
            hint="use a model with the same codec",
        )
    codes = torch.arange(dataset.info.codebook_size)
    with torch.inference_mode():
        tables = torch.stack([table(codes) for table in bundle.model.embedding.prompt])
    return summed(dataset, tables.clone())


def _sound(dataset: Stored, entry: Entry, codec: Codec) -> Clip:
    info = dataset.info
    values = dataset.codes(entry).astype(np.int16)
    return decode(Codes(values, info.codec, info.frame_rate, info.sample_rate), codec)


def _mel_bands() -> Float[Tensor, "bands frequencies"]:
    """Triangles, evenly spaced on the mel scale."""
    edges = 700 * (torch.expm1(torch.linspace(0, float(np.log1p(RATE / 1400)), BANDS + 2)))
    hertz = torch.linspace(0, RATE / 2, FFT // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return torch.minimum(rising, falling).clamp(min=0)


def _cosines() -> Float[Tensor, "kept bands"]:
    """The first rows of the cosine transform."""
    places = (torch.arange(BANDS) + 0.5) * torch.pi / BANDS
    return torch.cos(torch.arange(KEPT)[:, None] * places)
