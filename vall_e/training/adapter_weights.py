"""The tensors of a checkpoint, with and without adapters (LoRA)."""

from collections.abc import Mapping

from torch import Tensor, nn

from vall_e.errors import CheckpointError
from vall_e.model.lora import is_adapter


def base_of(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the model alone."""
    return {key: tensor for key, tensor in weights.items() if not is_adapter(key)}


def load_adapters(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load the adapters of a checkpoint; `CheckpointError` if they do not fit the model."""
    try:
        model.load_state_dict(weights)
    except RuntimeError as exc:
        raise CheckpointError(
            f"the checkpoint's LoRA does not match the config: {exc}",
            hint="set training.wrappers as they were, or choose another training.output",
        ) from exc
