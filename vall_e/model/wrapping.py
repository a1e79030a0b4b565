"""Changes to a whole model, one after the other."""

from collections.abc import Sequence

from vall_e.config.choices import WrapperChoice
from vall_e.errors import ConfigError, TrainingError
from vall_e.model.lora import is_adapter
from vall_e.model.valle import Valle


def wrapped(
    model: Valle, wrappers: Sequence[WrapperChoice], *, option: str, learning: bool
) -> Valle:
    """What the wrappers make of the model; `option` is what the config calls their list.

    Raises `TrainingError` if that is no model, or its weights could not be read without them, and
    `ConfigError` for one that is to speak with where the model is `learning`, or the other way.
    """
    keys = list(model.state_dict())
    for wrapper in wrappers:
        values, adapters = _learnable(model), _adapters(model)
        made = wrapper.build()(model)
        if not isinstance(made, Valle):
            raise TrainingError(
                f"{option}: {wrapper.name} gives a {type(made).__name__}, not a Valle",
                hint="tell its authors: change modules in place, or return a subclass of the model",
            )
        if [key for key in made.state_dict() if not is_adapter(key)] != keys:
            raise TrainingError(
                f"{option}: {wrapper.name} changes the names of the weights",
                hint="tell its authors: the keys of state_dict must stay",
            )
        if learning and _learnable(made) < values:
            raise ConfigError(
                f"{option}: with {wrapper.name} weights cannot learn",
                hint="it is to speak with: name it in synthesis.wrappers",
            )
        if not learning and _adapters(made) - adapters:
            raise ConfigError(
                f"{option}: {wrapper.name} adds adapters that have learnt nothing",
                hint="name it in training.wrappers, and speak with what it learns by --lora",
            )
        model = made
    return model


def _learnable(model: Valle) -> int:
    """Values of parameters; their names may change, as those of parametrized weights do."""
    return sum(parameter.numel() for parameter in model.parameters())


def _adapters(model: Valle) -> set[str]:
    return {key for key in model.state_dict() if is_adapter(key)}
