"""Chooses the decoding state of the AR stage: all layers, early exit or self-speculation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vall_e.config.synthesis import SamplingConfig
from vall_e.decoding.ar.cuda_graphs import Recorder
from vall_e.decoding.ar.early_exit import ExitingRows
from vall_e.decoding.ar.speculative import SpeculativeRows
from vall_e.decoding.ar.state import Rows

ReadRows = Callable[..., Rows]
"""Reads samples, with the arguments of `Rows`."""


def rows_of(sampling: SamplingConfig, record: Recorder | None = None) -> ReadRows:
    """Makes the state that the config asks for; `compatibility.py` says what fits which model.

    `record` records steps for replay, where all steps are alike.
    """
    if sampling.speculative.layers:
        return partial(SpeculativeRows, sampling.speculative)
    if sampling.exit.after:
        return partial(ExitingRows, sampling.exit)
    return partial(Rows, record=record)
