"""Changes to a whole model, one after the other."""

from collections.abc import Sequence

from vall_e.config.choices import WrapperChoice
from vall_e.errors import TrainingError
from vall_e.model.lora import is_adapter
from vall_e.model.valle import Valle


def wrapped(model: Valle, wrappers: Sequence[WrapperChoice], *, option: str) -> Valle:
    """What the wrappers make of the model; `option` is what the config calls their list.

    Raises `TrainingError` if that is no model, or its weights could not be read without them.
    """
    keys = list(model.state_dict())
    for wrapper in wrappers:
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
        model = made
    return model
