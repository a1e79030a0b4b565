"""Changes to the model before it is trained."""

from collections.abc import Sequence

from torch import nn

from vall_e.errors import TrainingError
from vall_e.model.lora import Flavour, Terms, adapters, attach, places


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


def unchanged(model: nn.Module) -> nn.Module:
    """What an optional wrapper does when it is disabled."""
    return model
