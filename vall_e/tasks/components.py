"""The built-in tasks. No torch here."""

from __future__ import annotations

from vall_e.plugin import Component, Task, Trial
from vall_e.tasks.options import (
    ContinuedConfig,
    ConversionConfig,
    EditingConfig,
    ExtractionConfig,
    LengthConfig,
    NoiseConfig,
    NoisyEditingConfig,
    PhonemizationConfig,
    RecognitionConfig,
    TtsConfig,
    UnphonemizationConfig,
)


def build_tts(config: TtsConfig) -> Task:
    from vall_e.tasks.tts import Tts

    return Tts(config)


def build_tts_c(config: ContinuedConfig) -> Task:
    from vall_e.tasks.tts_c import Continued

    return Continued(config)


def build_ns(config: NoiseConfig) -> Task:
    from vall_e.tasks.ns import NoiseSuppression

    return NoiseSuppression(config)


def build_sr(config: NoiseConfig) -> Task:
    from vall_e.tasks.sr import SpeechRemoval

    return SpeechRemoval(config)


def build_tse(config: ExtractionConfig) -> Task:
    from vall_e.tasks.tse import Extraction

    return Extraction(config)


def build_vc(config: ConversionConfig) -> Task:
    from vall_e.tasks.vc import Conversion

    return Conversion(config)


def build_stt(config: RecognitionConfig) -> Task:
    from vall_e.tasks.stt import Recognition

    return Recognition(config)


def build_cse(config: EditingConfig) -> Task:
    from vall_e.tasks.cse import Editing

    return Editing(config)


def build_nse(config: NoisyEditingConfig) -> Task:
    from vall_e.tasks.nse import NoisyEditing

    return NoisyEditing(config)


def build_phn(config: PhonemizationConfig) -> Task:
    from vall_e.tasks.phn import Phonemization

    return Phonemization(config)


def build_un_phn(config: UnphonemizationConfig) -> Task:
    from vall_e.tasks.un_phn import Unphonemization

    return Unphonemization(config)


def build_len(config: LengthConfig) -> Task:
    from vall_e.tasks.len import Length

    return Length(config)


SPEECHX = "https://arxiv.org/abs/2308.06873"

TASKS = (
    Component(
        name="tts",
        config=TtsConfig,
        build=build_tts,
        summary="text to speech in the voice of a prompt",
        paper="https://arxiv.org/abs/2301.02111",
    ),
    Component(
        name="tts-c",
        config=ContinuedConfig,
        build=build_tts_c,
        summary="text to speech that continues a recording with a known transcript",
        paper="https://arxiv.org/abs/2301.02111",
    ),
    Component(
        name="len",
        config=LengthConfig,
        build=build_len,
        summary="predicts how many frames a text takes, for masked decoding (capability len)",
    ),
    Component(
        name="ns",
        config=NoiseConfig,
        build=build_ns,
        summary="noise suppression: the speech of a noisy recording",
        paper=SPEECHX,
    ),
    Component(
        name="sr",
        config=NoiseConfig,
        build=build_sr,
        summary="speech removal: the background of a recording, without the speech",
        paper=SPEECHX,
    ),
    Component(
        name="stt",
        config=RecognitionConfig,
        build=build_stt,
        summary="transcribes a recording as phonemes",
    ),
    Component(
        name="vc",
        config=ConversionConfig,
        build=build_vc,
        summary="voice conversion: the speech of a recording in the voice of a prompt",
    ),
    Component(
        name="tse",
        config=ExtractionConfig,
        build=build_tse,
        summary="target speaker extraction: the prompt's speaker out of two overlapping ones",
        paper=SPEECHX,
    ),
    Component(
        name="cse",
        config=EditingConfig,
        build=build_cse,
        summary="clean speech editing: replaces words in a part of a recording",
        paper=SPEECHX,
        trial=Trial(facts={"keeps": True}),
    ),
    Component(
        name="nse",
        config=NoisyEditingConfig,
        build=build_nse,
        summary="noisy speech editing: replaces words in a part of a recording, keeping its noise",
        paper=SPEECHX,
        trial=Trial(facts={"keeps": True}),
    ),
    Component(
        name="phn",
        config=PhonemizationConfig,
        build=build_phn,
        summary="converts a text to phonemes",
    ),
    Component(
        name="un-phn",
        config=UnphonemizationConfig,
        build=build_un_phn,
        summary="converts phonemes to spelled text",
    ),
)
