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
        _check_use(wrapper, option, learning)
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


def _check_use(wrapper: WrapperChoice, option: str, learning: bool) -> None:
    use = wrapper.component.used_in
    if use == "speaking" and learning:
        raise ConfigError(
            f"{option}: {wrapper.name} is to speak with, and nothing learns in it",
            hint="name it in synthesis.wrappers",
        )
    if use == "training" and not learning:
        raise ConfigError(
            f"{option}: {wrapper.name} is to train with, and does nothing good for speaking",
            hint="name it in training.wrappers: what was trained with it speaks without it, and "
            "adapters speak by --lora",
        )
