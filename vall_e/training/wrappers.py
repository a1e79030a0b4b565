"""Changes to the model before it is trained."""

from collections.abc import Sequence

from torch import nn

from vall_e.config.schema import WrapperChoice
from vall_e.errors import TrainingError
from vall_e.model.valle import Valle


def wrapped(model: Valle, wrappers: Sequence[WrapperChoice]) -> Valle:
    """What the wrappers make of the model, one after the other: this is trained, and saved.

    Raises `TrainingError` if that is no model, or its weights could not be read without them.
    """
    keys = list(model.state_dict())
    for wrapper in wrappers:
        made = wrapper.build()(model)
        if not isinstance(made, Valle):
            raise TrainingError(
                f"training.wrappers: {wrapper.name} gives a {type(made).__name__}, not a Valle",
                hint="tell its authors: change modules in place, or return a subclass of the model",
            )
        if list(made.state_dict()) != keys:
            raise TrainingError(
                f"training.wrappers: {wrapper.name} changes the names of the weights",
                hint="tell its authors: the keys of state_dict must stay",
            )
        model = made
    return model


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
