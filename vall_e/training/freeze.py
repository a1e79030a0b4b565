"""Weights that a run does not train."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from vall_e.errors import ConfigError


def freeze(model: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Freeze the parameters whose names match one of the patterns; returns their names.

    Raises `ConfigError` for a pattern that matches none, and if nothing is left to train.
    """
    parameters = dict(model.named_parameters())
    frozen: list[str] = []
    for pattern in patterns:
        fitting = [name for name in parameters if fnmatchcase(name, pattern)]
        if not fitting:
            raise ConfigError(
                f"training.frozen: no weight matches {pattern!r}",
                hint=f"names look like {next(iter(parameters))}; * matches any part of a name",
            )
        frozen += fitting
    for name in frozen:
        parameters[name].requires_grad_(False)
    if patterns and not any(parameter.requires_grad for parameter in parameters.values()):
        raise ConfigError("training.frozen: nothing is left to train", hint="freeze fewer weights")
    return sorted(set(frozen))
