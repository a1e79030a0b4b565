"""Changes to the model before it is trained."""

from torch import nn


def compiled(model: nn.Module, *, dynamic: bool) -> nn.Module:
    """Compile the backbone where it stands, when it first runs; the keys of `state_dict` stay.

    Embeddings and heads loop over segments in varying number: bad to compile, and cheap.
    """
    backbone = getattr(model, "backbone", model)
    backbone.compile(dynamic=dynamic)
    return model


def unchanged(model: nn.Module) -> nn.Module:
    """What an optional wrapper does when it is switched off."""
    return model
