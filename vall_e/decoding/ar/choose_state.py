"""How deep the AR stage runs: through all layers, or through no more than it needs to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vall_e.config.synthesis import SamplingConfig
from vall_e.decoding.ar.cuda_graphs import Recorder
from vall_e.decoding.ar.early_exit import ExitingRows
from vall_e.decoding.ar.speculative import SpeculativeRows
from vall_e.decoding.ar.state import Rows
from vall_e.errors import ConfigError
from vall_e.model.layer_skip import layered
from vall_e.model.valle import Valle

ReadRows = Callable[..., Rows]
"""Reads samples, with the arguments of `Rows`."""


def rows_of(sampling: SamplingConfig, model: Valle, record: Recorder | None = None) -> ReadRows:
    """What reads and writes as the config says. `ConfigError` where it cannot be done.

    `record`: what steps are recorded by, where they are all alike.
    """
    exits, drafts = sampling.exit.after, sampling.speculative.layers
    if not exits and not drafts:
        return partial(Rows, record=record)
    option = "sampling.speculative.layers" if drafts else "sampling.exit.after"
    if exits and drafts:
        raise ConfigError(
            f"{option}: drafts must be checked by all layers, sampling.exit leaves some out",
            hint="set one of the two to 0",
        )
    if sampling.beams > 1:
        raise ConfigError(
            f"{option}: this is of no use with sampling.beams: {sampling.beams}",
            hint=f"set {option}: 0, or sampling.beams: 1",
        )
    name = model.config.backbone.name
    depth = layered(model.backbone, name=name, option=option).depth
    if not (drafts or exits) < depth:
        raise ConfigError(
            f"{option}: {drafts or exits} is not fewer than the {depth} layers of the model",
            hint=f"set it to {depth // 2}, say; 0 switches it off",
        )
    if drafts:
        return partial(SpeculativeRows, sampling.speculative)
    return partial(ExitingRows, sampling.exit)
