"""The adapter of a training run in a file of its own: see `vall_e.weights.lora_file`."""

import json
from pathlib import Path

from vall_e.config.schema import RunConfig
from vall_e.errors import CheckpointError
from vall_e.model.lora import adapters
from vall_e.weights.ecker.lora import ECKER_SUFFIX, terms_back, translate_lora_back
from vall_e.weights.file import Bundle
from vall_e.weights.lora_file import SUFFIX, require_lora, save_lora, write_tensors


class LoraExporter:
    """A file for `vall-e synth --lora`, of a few hundred kilobytes."""

    suffix = SUFFIX

    def check(self, config: RunConfig) -> None:
        if all(wrapper.name != "lora" for wrapper in config.training.wrappers):
            raise CheckpointError(
                "training.wrappers has no lora, so there will be no LoRA to export",
                hint="add one: training.wrappers=[lora]",
            )

    def __call__(self, bundle: Bundle, path: Path) -> None:
        save_lora(bundle.model, path, bundle.statistics)


class EckerLoraExporter:
    """The `lora.sft` of e-c-k-e-r/vall-e, in its variant that replaces layers."""

    suffix = ECKER_SUFFIX

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
