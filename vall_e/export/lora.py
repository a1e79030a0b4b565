"""The adapter of a training run: alone as a file (see `vall_e.weights.lora_file`), or merged."""

import json
from pathlib import Path

from vall_e.errors import CheckpointError
from vall_e.interfaces.export import Exporter
from vall_e.model.lora import adapters, merge, terms_of
from vall_e.model.valle import Valle
from vall_e.weights.ecker.lora import terms_back, translate_lora_back
from vall_e.weights.file import Bundle
from vall_e.weights.locate import find_weights
from vall_e.weights.lora_file import SUFFIX, require_lora, save_lora, write_tensors
from vall_e.weights.metadata import read_metadata

ORIGINAL_SUFFIX = ".lora.sft"


class LoraExporter:
    """A file for `vall-e synth --lora`, of some hundred kilobytes."""

    suffix = SUFFIX

    def __call__(self, bundle: Bundle, path: Path) -> None:
        save_lora(bundle.model, path, bundle.statistics)


class EckerLoraExporter:
    """The `lora.sft` of e-c-k-e-r/vall-e, of its flavour that replaces layers."""

    suffix = ORIGINAL_SUFFIX

    def __call__(self, bundle: Bundle, path: Path) -> None:
        terms = require_lora(bundle.model)
        tensors = {
            f"{place}.{name}": tensor.detach().cpu().contiguous()
            for place, adapter in adapters(bundle.model).items()
            for name, tensor in adapter.state_dict().items()
        }
        facts = {"config": terms_back(terms), "stats": dict(bundle.statistics)}
        metadata = {key: json.dumps(value) for key, value in facts.items()}
        write_tensors(translate_lora_back(tensors), metadata, path)


def holds_lora(checkpoint: Path) -> bool:
    """Whether a LoRA was trained there."""
    return "lora" in read_metadata(find_weights(checkpoint))


def settle_lora(model: Valle, exporter: Exporter, source: Path, *, merged: bool) -> None:
    """Merge the model's LoRA, or else see that the format has a place for it."""
    if merged:
        if terms_of(model) is None:
            raise CheckpointError(f"{source} holds no LoRA to merge", hint="leave out --merge")
        merge(model, levels=model.sizes.levels)
    elif terms_of(model) and exporter.suffix not in (SUFFIX, ORIGINAL_SUFFIX):
        raise CheckpointError(
            f"{source} holds a LoRA beside its base, which this format has no place for",
            hint="add --merge, or export the LoRA alone with --to lora or --to ecker-lora",
        )
