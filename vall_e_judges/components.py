"""Built-in judges, transcribers and speaker embedders. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.plugin import Component, hookimpl
from vall_e_judges.options import (
    CamppConfig,
    DnsmosConfig,
    FasterWhisperConfig,
    PesqConfig,
    PipelineConfig,
    RecognitionJudgeConfig,
    ResemblyzerConfig,
    SignalConfig,
    SimilarityConfig,
    SphinxConfig,
    StoiConfig,
    WhisperJudgeConfig,
    WhisperxConfig,
)

if TYPE_CHECKING:
    from vall_e.plugin import Case, Embedder, Judge, Transcriber

vall_e_hook_api = (1, 0)


def build_resemblyzer(config: ResemblyzerConfig) -> Embedder:
    from vall_e_judges.resemblyzer import Resemblyzer

    return Resemblyzer(config)


def build_sphinx(config: SphinxConfig, *, device: str) -> Transcriber:
    from vall_e_judges.sphinx import Sphinx

    return Sphinx(config, device)


def build_faster_whisper(config: FasterWhisperConfig, *, device: str) -> Transcriber:
    from vall_e_judges.whisper import faster_whisper

    return faster_whisper(config, device)


def build_whisperx(config: WhisperxConfig, *, device: str) -> Transcriber:
    from vall_e_judges.whisper import whisperx

    return whisperx(config, device)


def build_pipeline(config: PipelineConfig, *, device: str) -> Transcriber:
    from vall_e_judges.whisper import pipeline

    return pipeline(config, device)


def build_signal(config: SignalConfig, *, case: Case) -> Judge:
    from vall_e_judges.signal import Signal

    return Signal()


def build_recognition(config: RecognitionJudgeConfig, *, case: Case) -> Judge:
    from vall_e_judges.recognition import RecognitionJudge

    return RecognitionJudge(config, case)


def build_similarity(config: SimilarityConfig, *, case: Case) -> Judge:
    from vall_e_judges.similarity import Similarity

    return Similarity(config, case)


def build_campp(config: CamppConfig, *, case: Case) -> Judge:
    from vall_e_judges.campp import Campp

    return Campp(config, case)


def build_whisper(config: WhisperJudgeConfig, *, case: Case) -> Judge:
    from vall_e_judges.whisper_wer import open_judge

    return open_judge(config)


def build_pesq(config: PesqConfig, *, case: Case) -> Judge:
    from vall_e_judges.pesq import Pesq

    return Pesq(config)


def build_stoi(config: StoiConfig, *, case: Case) -> Judge:
    from vall_e_judges.stoi import Stoi

    return Stoi()


def build_dnsmos(config: DnsmosConfig, *, case: Case) -> Judge:
    from vall_e_judges.dnsmos import Dnsmos

    return Dnsmos()


JUDGES: tuple[Component[Any], ...] = (
    Component(
        name="signal",
        config=SignalConfig,
        build=build_signal,
        summary="length, level, clipping, silence, pace; needs no further package",
    ),
    Component(
        name="recognition",
        config=RecognitionJudgeConfig,
        build=build_recognition,
        summary="intelligibility by a recognizer: open and closed word error rate, forced choice",
        weights_license="BSD-2-Clause",
    ),
    Component(
        name="similarity",
        config=SimilarityConfig,
        build=build_similarity,
        summary="speaker similarity: cosine of Resemblyzer's speaker vectors",
        paper="https://arxiv.org/abs/1710.10467",
        weights_license="Apache-2.0",
    ),
    Component(
        name="whisper",
        config=WhisperJudgeConfig,
        build=build_whisper,
        summary="was the text said: word error rate of Whisper, from a local folder",
        paper="https://arxiv.org/abs/2212.04356",
        weights_license="MIT",
    ),
    Component(
        name="campp",
        config=CamppConfig,
        build=build_campp,
        summary="was it the right voice: cosine of CAM++'s speaker vectors, from a local file",
        paper="https://arxiv.org/abs/2303.00332",
        weights_license="Apache-2.0",
    ),
    Component(
        name="pesq",
        config=PesqConfig,
        build=build_pesq,
        summary="similarity to the original audio: PESQ (ITU-T P.862)",
        paper="https://doi.org/10.1109/ICASSP.2001.941023",
    ),
    Component(
        name="stoi",
        config=StoiConfig,
        build=build_stoi,
        summary="intelligibility relative to the original: STOI and extended STOI",
        paper="https://doi.org/10.1109/TASL.2011.2114881",
    ),
    Component(
        name="dnsmos",
        config=DnsmosConfig,
        build=build_dnsmos,
        summary="mean opinion score as predicted by a network (DNSMOS), 1 to 5",
        paper="https://arxiv.org/abs/2010.15258",
        weights_license="CC-BY-4.0",
    ),
)


@hookimpl
def vall_e_register_judges() -> list[Component[Any]]:
    return [*JUDGES]


TRANSCRIBERS: tuple[Component[Any], ...] = (
    Component(
        name="pocketsphinx",
        config=SphinxConfig,
        build=build_sphinx,
        summary="English, offline, with word times; fast but inaccurate",
        weights_license="BSD-2-Clause",
    ),
    Component(
        name="faster-whisper",
        config=FasterWhisperConfig,
        build=build_faster_whisper,
        summary="Whisper with CTranslate2: many languages, language detection, word times",
        paper="https://arxiv.org/abs/2212.04356",
        weights_license="MIT",
    ),
    Component(
        name="whisperx",
        config=WhisperxConfig,
        build=build_whisperx,
        summary="Whisper with aligned word times and speaker labels; in a virtual environment of "
        "its own",
        paper="https://arxiv.org/abs/2303.00747",
        weights_license="MIT",
    ),
    Component(
        name="transformers",
        config=PipelineConfig,
        build=build_pipeline,
        summary="any speech recognizer of transformers: Whisper, or a CTC model",
        weights_license="not stated: that of the chosen model",
    ),
)


@hookimpl
def vall_e_register_transcribers() -> list[Component[Any]]:
    return [*TRANSCRIBERS]


@hookimpl
def vall_e_register_embedders() -> list[Component[Any]]:
    return [
        Component(
            name="resemblyzer",
            config=ResemblyzerConfig,
            build=build_resemblyzer,
            summary="speaker vectors of 256 values: Resemblyzer's encoder",
            paper="https://arxiv.org/abs/1710.10467",
            weights_license="Apache-2.0",
        ),
    ]
