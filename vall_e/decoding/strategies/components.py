"""The decoding strategies of the core, and how they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.decoding.strategies.options import ArConfig, AutoConfig, MaskedConfig
from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.decoding.level_0 import Strategy
    from vall_e.model.valle import Valle


def build_auto(config: AutoConfig, *, model: Valle) -> Strategy:
    if "ar" in model.config.capabilities:
        return build_ar(ArConfig(), model=model)
    return build_demask(MaskedConfig(), model=model)


def build_ar(config: ArConfig, *, model: Valle) -> Strategy:
    from vall_e.decoding.strategies.frame_by_frame import FrameByFrame

    return FrameByFrame()


def build_demask(config: MaskedConfig, *, model: Valle) -> Strategy:
    from vall_e.decoding.strategies.masked_decoding import MaskedDecoding

    return MaskedDecoding()


STRATEGIES: list[Component[Any]] = [
    Component(
        name="auto",
        config=AutoConfig,
        build=build_auto,
        summary="`ar` if the model supports it, else `demask`",
    ),
    Component(
        name="ar",
        config=ArConfig,
        build=build_ar,
        summary="frame by frame; the best of several (`sampling.candidates`), or a beam search "
        "(`sampling.beams`)",
    ),
    Component(
        name="demask",
        config=MaskedConfig,
        build=build_demask,
        summary="the length first, then all frames in a few passes (`sampling.demask`)",
        paper="https://arxiv.org/abs/2202.04200",
    ),
]
