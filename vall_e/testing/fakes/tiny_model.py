"""A model small enough for a test, made from the same config as a real one."""

from __future__ import annotations

import torch

from vall_e.config.load import structure
from vall_e.config.schema import RunConfig
from vall_e.interfaces.codec import Codec
from vall_e.model.code_embedding import vectors_of
from vall_e.model.embedding import ModelSizes
from vall_e.model.valle import build_valle
from vall_e.registry import Registry
from vall_e.text.vocabulary import Vocabulary
from vall_e.weights.file import Bundle

ALPHABET = "abcdefghijklmnopqrstuvwxyz .,?!'"


def tiny_config(registry: Registry, **changes: object) -> RunConfig:
    """Two layers of width 32; characters as phonemes. `changes` replace whole sections."""
    raw: dict[str, object] = {
        "model": {"backbone": {"name": "llama", "d_model": 32, "layers": 2, "heads": 2}},
        "text": {"phonemizer": "none", "languages": ["en-us"]},
        **changes,
    }
    return structure(raw, registry, source="tiny config")


def tiny_bundle(registry: Registry, codec: Codec, /, *, seed: int = 0, **changes: object) -> Bundle:
    """An untrained model for the codes of `codec`."""
    config = tiny_config(registry, **changes)
    vocabulary = Vocabulary.of(ALPHABET)
    vectors = vectors_of(config.model.code_vectors, codec, name=codec.identity)
    sizes = ModelSizes.of(
        levels=codec.levels,
        codebook_size=codec.codebook_size,
        vocabulary=len(vocabulary),
        languages=len(config.text.languages),
        tasks=[task.build() for task in config.tasks],
        code_width=0 if vectors is None else vectors.shape[-1],
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build_valle(config.model, sizes).eval()
    if vectors is not None:
        model.embedding.take_code_vectors(vectors)
    return Bundle(model, config, vocabulary, codec.identity, {"steps": 0})
