"""A run's LoRA before an export: merged, or kept if the format supports it."""

from pathlib import Path

from vall_e.errors import CheckpointError
from vall_e.interfaces.export import Exporter
from vall_e.model.lora import merge, terms_of
from vall_e.model.valle import Valle
from vall_e.registry import Registry
from vall_e.weights.ecker.lora import ECKER_SUFFIX
from vall_e.weights.locate import find_weights
from vall_e.weights.lora_file import SUFFIX
from vall_e.weights.metadata import read_metadata
from vall_e.weights.other_formats import opener_of, read_by


def holds_lora(checkpoint: Path, registry: Registry) -> bool:
    """Whether the run trained a LoRA."""
    weights = find_weights(checkpoint)
    opener = opener_of(weights, registry)
    metadata = read_by(opener, weights)[0] if opener else read_metadata(weights)
    return "lora" in metadata


def settle_lora(model: Valle, exporter: Exporter, source: Path, *, merged: bool) -> None:
    """Merge the model's LoRA, or check that the format supports it."""
    if merged:
        if terms_of(model) is None:
            raise CheckpointError(f"{source} has no LoRA to merge", hint="leave out --merge")
        merge(model, levels=model.sizes.levels)
    elif terms_of(model) and exporter.suffix not in (SUFFIX, ECKER_SUFFIX):
        raise CheckpointError(
            f"{source} has a LoRA in addition to its base, which this format does not support",
            hint="add --merge, or export the LoRA alone with --to lora or --to ecker-lora",
        )
