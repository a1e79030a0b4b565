"""Changes to the model before it is trained."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from vall_e.errors import CheckpointError, TrainingError
from vall_e.model.lora import Flavour, Terms, adapters, attach, is_adapter, places


def compiled(model: nn.Module, *, dynamic: bool) -> nn.Module:
    """Compile the backbone in place, when it first runs; the keys of `state_dict` stay the same.

    Embeddings and heads loop over a varying number of segments: bad to compile, and cheap.
    """
    backbone = getattr(model, "backbone", model)
    backbone.compile(dynamic=dynamic)
    return model


def adapted(
    model: nn.Module,
    terms: Terms,
    *,
    flavour: Flavour,
    include: Sequence[str],
    exclude: Sequence[str],
    embeddings: bool,
) -> nn.Module:
    """Freeze the model and add trainable adapters (LoRA) to its matrices."""
    if adapters(model):
        raise TrainingError(
            "training.wrappers: more than one lora", hint="list the wrapper lora only once"
        )
    names = places(model, include=include, exclude=exclude, embeddings=embeddings)
    model.requires_grad_(False)
    attach(model, names, terms, flavour=flavour)
    return model


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


def unchanged(model: nn.Module) -> nn.Module:
    """What an optional wrapper does when it is disabled."""
    return model
