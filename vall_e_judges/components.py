"""Judges that ship with VALL-E. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen, validators

from vall_e.plugin import Component, hookimpl

if TYPE_CHECKING:
    from vall_e.plugin import Case, Judge

vall_e_hook_api = (1, 0)


@frozen
class SignalConfig:
    """No options."""


@frozen
class RecognitionConfig:
    among: int = field(default=50, validator=validators.ge(2))
    """Sentences of a forced choice, the right one included."""


@frozen
class SimilarityConfig:
    weights: Path | None = None
    """Another `pretrained.pt` of Resemblyzer. Default: the one in its package."""


@frozen
class PesqConfig:
    band: Literal["wb", "nb"] = "wb"
    """`wb`: wide band, at 16 kHz (ITU-T P.862.2); `nb`: narrow band, at 8 kHz (P.862.1)."""


@frozen
class StoiConfig:
    """No options."""


@frozen
class DnsmosConfig:
    """No options."""


def build_signal(config: SignalConfig, *, case: Case) -> Judge:
    from vall_e_judges.signal import Signal

    return Signal()


def build_recognition(config: RecognitionConfig, *, case: Case) -> Judge:
    from vall_e_judges.recognition import Recognition

    return Recognition(config, case)


def build_similarity(config: SimilarityConfig, *, case: Case) -> Judge:
    from vall_e_judges.similarity import Similarity

    return Similarity(config, case)


def build_pesq(config: PesqConfig, *, case: Case) -> Judge:
    from vall_e_judges.pesq import Pesq

    return Pesq(config)


def build_stoi(config: StoiConfig, *, case: Case) -> Judge:
    from vall_e_judges.stoi import Stoi

    return Stoi()


def build_dnsmos(config: DnsmosConfig, *, case: Case) -> Judge:
    from vall_e_judges.dnsmos import Dnsmos

    return Dnsmos()


@hookimpl
def vall_e_register_judges() -> list[Component[Any]]:
    return [
        Component(
            name="signal",
            config=SignalConfig,
            build=build_signal,
            summary="length, level, clipping, silence, pace; needs no other package",
        ),
        Component(
            name="recognition",
            config=RecognitionConfig,
            build=build_recognition,
            summary="was the text said: open and closed word error rate, forced choice",
            weights_license="BSD-2-Clause",
        ),
        Component(
            name="similarity",
            config=SimilarityConfig,
            build=build_similarity,
            summary="was it the right voice: cosine of Resemblyzer's speaker vectors",
            paper="https://arxiv.org/abs/1710.10467",
            weights_license="Apache-2.0",
        ),
        Component(
            name="pesq",
            config=PesqConfig,
            build=build_pesq,
            summary="how near is it to its original: ITU-T P.862",
            paper="https://doi.org/10.1109/ICASSP.2001.941023",
        ),
        Component(
            name="stoi",
            config=StoiConfig,
            build=build_stoi,
            summary="how intelligible beside its original: STOI and extended STOI",
            paper="https://doi.org/10.1109/TASL.2011.2114881",
        ),
        Component(
            name="dnsmos",
            config=DnsmosConfig,
            build=build_dnsmos,
            summary="how good would listeners find it: a network's guess, 1 to 5",
            paper="https://arxiv.org/abs/2010.15258",
            weights_license="CC-BY-4.0",
        ),
    ]
