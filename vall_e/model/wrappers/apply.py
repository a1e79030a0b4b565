"""Wraps a whole model by several wrappers, one after another."""

from collections.abc import Sequence

from vall_e.config.choices import WrapperChoice
from vall_e.errors import ConfigError, TrainingError
from vall_e.model.lora import is_adapter
from vall_e.model.valle import Valle


def wrapped(
    model: Valle, wrappers: Sequence[WrapperChoice], *, option: str, learning: bool
) -> Valle:
    """The model after all wrappers; `option` is the name of their list in the config.

    Raises `TrainingError` if the result is not a model, or needs the wrappers to load its weights,
    and `ConfigError` for a wrapper for inference in training (`learning`), or the reverse.
    """
    keys = list(model.state_dict())
    for wrapper in wrappers:
        _check_use(wrapper, option, learning)
        made = wrapper.build()(model)
        if not isinstance(made, Valle):
            raise TrainingError(
                f"{option}: {wrapper.name} returned a {type(made).__name__}, not a Valle",
                hint="report it to its authors: a wrapper must change modules in place, or "
                "return a "
                "subclass of the model",
            )
        if [key for key in made.state_dict() if not is_adapter(key)] != keys:
            raise TrainingError(
                f"{option}: {wrapper.name} changes the names of the weights",
                hint="report it to its authors: the keys of state_dict must not change",
            )
        model = made
    return model


def _check_use(wrapper: WrapperChoice, option: str, learning: bool) -> None:
    use = wrapper.component.used_in
    if use == "speaking" and learning:
        raise ConfigError(
            f"{option}: {wrapper.name} is for inference, its weights cannot be trained",
            hint="list it under synthesis.wrappers",
        )
    if use == "training" and not learning:
        raise ConfigError(
            f"{option}: {wrapper.name} is for training, and has no benefit in inference",
            hint="list it under training.wrappers: models trained with it need no wrapper, and "
            "adapters are loaded with --lora",
        )
