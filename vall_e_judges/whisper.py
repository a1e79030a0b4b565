"""Whisper as a transcriber, with CTranslate2 (faster-whisper), WhisperX, or transformers.

Radford et al. 2022, https://arxiv.org/abs/2212.04356. WhisperX (Bain et al. 2023,
https://arxiv.org/abs/2303.00747) adds word times by alignment, and speaker labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vall_e.plugin import Passage, Transcript, UnavailableError, Word
from vall_e_judges.judge_audio import SAMPLE_RATE
from vall_e_judges.optional_packages import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vall_e.plugin import Sound
    from vall_e_judges.options import FasterWhisperConfig, PipelineConfig, WhisperxConfig

SHORTEST_SECONDS = 0.1
"""Shorter recordings are not transcribed."""
Transcribe = Callable[["NDArray[np.float32]", str | None], Transcript]
"""From samples at 16 kHz and a language, or None, to a transcript."""


class WhisperTranscriber:
    """A transcriber from a function that transcribes samples at 16 kHz."""

    languages: Sequence[str] = ()

    def __init__(self, transcribe: Transcribe) -> None:
        self._transcribe = transcribe
        self.on_seconds: Callable[[float], None] = lambda seconds: None

    def __call__(self, clip: Sound, *, language: str | None = None) -> Transcript:
        samples = clip.mono().resample(SAMPLE_RATE).samples
        if clip.seconds < SHORTEST_SECONDS:
            return Transcript(())
        return inside(self._transcribe(samples, whisper_language(language)), clip.seconds)


def faster_whisper(config: FasterWhisperConfig, device: str) -> WhisperTranscriber:
    require("faster-whisper", "faster_whisper", what="transcriber", extra=FASTER)
    from faster_whisper import WhisperModel

    model = _opened(
        config.model,
        lambda: WhisperModel(
            config.model, device=device.partition(":")[0], compute_type=config.compute_type
        ),
    )
    found = WhisperTranscriber(
        by_faster_whisper(model, beams=config.beams, on_seconds=lambda at: found.on_seconds(at))
    )
    return found


def by_faster_whisper(
    model: Any, *, beams: int, on_seconds: Callable[[float], None] = lambda seconds: None
) -> Transcribe:
    """`model` is a `faster_whisper.WhisperModel`."""

    def transcribe(samples: NDArray[np.float32], language: str | None) -> Transcript:
        segments, info = model.transcribe(
            samples, language=language, beam_size=beams, word_timestamps=True, vad_filter=True
        )
        passages: list[Passage] = []
        for segment in segments:  # transcribed while they are drawn
            words = tuple(Word(w.start, w.end, w.word.strip()) for w in segment.words or ())
            passages.append(Passage(segment.start, segment.end, segment.text.strip(), words=words))
            on_seconds(segment.end)
        return Transcript(tuple(passages), info.language)

    return transcribe


def whisperx(config: WhisperxConfig, device: str) -> WhisperTranscriber:
    require("whisperx", "whisperx", what="transcriber", extra=WHISPERX)
    import whisperx as x

    kind = device.partition(":")[0]
    model = _opened(
        config.model, lambda: x.load_model(config.model, kind, compute_type=config.compute_type)
    )
    speakers: Any = None
    if config.diarize:
        from whisperx.diarize import DiarizationPipeline

        speakers = _opened("pyannote's diarization", lambda: DiarizationPipeline(device=kind))
    return WhisperTranscriber(by_whisperx(x, model, speakers, kind))


def by_whisperx(x: Any, model: Any, speakers: Any, device: str) -> Transcribe:
    """`x` is the module; `speakers` is a diarization pipeline, or None."""
    aligners: dict[str, tuple[Any, Any]] = {}

    def transcribe(samples: NDArray[np.float32], language: str | None) -> Transcript:
        found = model.transcribe(samples, language=language)
        spoken = found["language"]
        if spoken not in aligners:
            aligners[spoken] = x.load_align_model(language_code=spoken, device=device)
        found = x.align(found["segments"], *aligners[spoken], samples, device)
        if speakers is not None:
            found = x.assign_word_speakers(speakers(samples), found)
        return Transcript(tuple(passages_of(found["segments"])), spoken)

    return transcribe


def pipeline(config: PipelineConfig, device: str) -> WhisperTranscriber:
    require("transformers", "transformers", what="transcriber", extra="pip install transformers")
    from transformers import pipeline as make

    pipe = _opened(
        config.model,
        lambda: make(
            "automatic-speech-recognition",
            model=config.model,
            revision=config.revision or None,
            device=device,
        ),
    )
    return WhisperTranscriber(by_pipeline(pipe, chunk_seconds=config.chunk_seconds))


def by_pipeline(pipe: Any, *, chunk_seconds: float) -> Transcribe:
    """`pipe` is a transformers pipeline for speech recognition, of Whisper or a CTC model."""
    ctc = str(pipe.type).startswith("ctc")

    def transcribe(samples: NDArray[np.float32], language: str | None) -> Transcript:
        told = {"language": language} if language and not ctc else {}
        options = {"generate_kwargs": told} if told else {}
        found = pipe(
            {"raw": samples, "sampling_rate": SAMPLE_RATE},
            return_timestamps="word" if ctc else True,
            chunk_length_s=chunk_seconds,
            **options,
        )
        passages = _of_chunks(found["chunks"], len(samples) / SAMPLE_RATE)
        return Transcript(tuple(_joined(passages) if ctc else passages), language or "")

    return transcribe


def passages_of(segments: Iterable[Mapping[str, Any]]) -> list[Passage]:
    """From segments as WhisperX returns them; words that it could not align have no times."""
    return [
        Passage(
            float(segment["start"]),
            float(segment["end"]),
            str(segment["text"]).strip(),
            str(segment.get("speaker", "")),
            tuple(
                Word(float(w["start"]), float(w["end"]), str(w["word"]))
                for w in segment.get("words", ())
                if "start" in w and "end" in w
            ),
        )
        for segment in segments
    ]


def _of_chunks(chunks: Iterable[Mapping[str, Any]], seconds: float) -> list[Passage]:
    """Whisper omits the end of the last chunk if it is the end of the recording."""
    return [
        Passage(float(start), float(seconds if end is None else end), str(chunk["text"]).strip())
        for chunk in chunks
        for start, end in [chunk["timestamp"]]
        if start is not None
    ]


def _joined(words: Sequence[Passage]) -> list[Passage]:
    """The words as one passage."""
    words = [word for word in words if word.text]
    if not words:
        return []
    text = " ".join(word.text for word in words)
    inner = tuple(Word(word.start, word.end, word.text) for word in words)
    return [Passage(words[0].start, words[-1].end, text, words=inner)]


def inside(found: Transcript, seconds: float) -> Transcript:
    """Without empty passages, cut to the recording, and none overlapping the one before."""
    passages: list[Passage] = []
    end = 0.0
    for one in found.passages:
        start, last = max(one.start, end), min(one.end, seconds)
        if one.text and start < last:
            passages.append(Passage(start, last, one.text, one.speaker, one.words))
            end = last
    return Transcript(tuple(passages), found.language)


def whisper_language(language: str | None) -> str | None:
    """`en-us` is Whisper's `en`."""
    return language.partition("-")[0].lower() if language else None


def _opened(name: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (OSError, RuntimeError, ValueError) as exc:  # raised by their loaders, also offline
        raise UnavailableError(
            f"the weights {name} cannot be loaded: {exc}",
            hint="set `model` to a folder that contains them, or allow one download",
        ) from exc


FASTER = "pip install faster-whisper"
WHISPERX = "install whisperx into a virtual environment of its own, see docs/data.md"
