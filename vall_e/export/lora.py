"""The adapter of a training run: alone as a file (see `vall_e.model.lora_file`), or merged."""

from pathlib import Path

from vall_e.errors import CheckpointError
from vall_e.interfaces import Exporter
from vall_e.model.lora import merge, terms_of
from vall_e.model.lora_file import SUFFIX, save_lora
from vall_e.model.valle import Valle
from vall_e.model.weights import Bundle, read_metadata
from vall_e.training.checkpoint import find_weights


class LoraExporter:
    """A file for `vall-e synth --lora`, of some hundred kilobytes."""

    suffix = SUFFIX

    def __call__(self, bundle: Bundle, path: Path) -> None:
        save_lora(bundle.model, path, bundle.statistics)


def holds_lora(checkpoint: Path) -> bool:
    """Whether a LoRA was trained there."""
    return "lora" in read_metadata(find_weights(checkpoint))


def settle_lora(model: Valle, exporter: Exporter, source: Path, *, merged: bool) -> None:
    """Merge the model's LoRA, or else see that the format has a place for it."""
    if merged:
        if terms_of(model) is None:
            raise CheckpointError(f"{source} holds no LoRA to merge", hint="leave out --merge")
        merge(model, levels=model.sizes.levels)
    elif terms_of(model) and exporter.suffix != SUFFIX:
        raise CheckpointError(
            f"{source} holds a LoRA beside its base, which this format has no place for",
            hint="add --merge, or export the LoRA alone with --to lora",
        )
