"""Speech of a model in training, written and judged with each validation."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from jaxtyping import Float
from torch import Tensor

from vall_e.audio.clip import Clip
from vall_e.codec.encode import decode, to_codes
from vall_e.config.choices import JudgeChoice
from vall_e.config.component_option import choose
from vall_e.config.samples import SamplesConfig
from vall_e.data.batching.corpus import Corpus, Utterance
from vall_e.errors import CheckpointError, VallEError
from vall_e.evaluation.clips import EvalClip, Items, read_lines
from vall_e.evaluation.judge_panel import Panel, judge_all
from vall_e.evaluation.page import write_page
from vall_e.evaluation.report import EvalReport
from vall_e.interfaces.codec import Codec
from vall_e.registry import Registry
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.synthesis.voice import Voice
from vall_e.weights.file import Bundle

HELD_OUT, TRAINED, TEXTS = "held-out", "trained", "texts"
WINDOWS = (512, 1024, 2048)
"""Of the spectra that are compared, in samples."""

log = logging.getLogger(__name__)


@frozen(eq=False)
class SampleText:
    """A text to speak after a prompt; `recording` is how the speaker said it, if that is known."""

    group: str
    text: str
    language: str
    speaker: str
    prompt: Utterance
    recording: Utterance | None


@frozen(eq=False)
class SampleSpeaker:
    """Speaks the same texts, with the same seeds, each time it is called."""

    texts: Sequence[SampleText]
    codec: Codec
    registry: Registry
    judged: bool

    @classmethod
    def of(
        cls,
        config: SamplesConfig,
        trained: Corpus,
        held_out: Sequence[Corpus],
        codec: Codec,
        registry: Registry,
    ) -> SampleSpeaker:
        """Raises `DataError` for a file of texts that cannot be read."""
        corpora = {HELD_OUT: held_out, TRAINED: [trained]}
        texts = [
            text
            for group, found in corpora.items()
            for text in _own_texts(group, found, config.count)
        ]
        if config.texts:
            lines = read_lines(Path(config.texts))[: config.count]
            texts += _given_texts(lines, texts)
        return cls(texts, codec, registry, config.judged)

    def __call__(self, bundle: Bundle, folder: Path) -> dict[str, float]:
        """Write clips and `report.html` into `folder`; returns the mean of each figure.

        Their names are `samples.GROUP.FIGURE`. A model that cannot speak yet is only reported.
        """
        model = bundle.model
        was_training = model.training
        model.eval()
        try:
            clips = list(self._spoken(Synthesizer.of(bundle, self.codec), folder))
        except CheckpointError as exc:
            log.warning("no samples are spoken: %s", exc.message)
            return {}
        finally:
            model.train(was_training)
        found = {f"samples.{name}": value for name, value in _distances(clips).items()}
        if self.judged and clips:
            report = self._judged(clips)
            write_page(report, folder / "report.html")
            found |= _figures(report)
        return found

    def _spoken(self, synthesizer: Synthesizer, folder: Path) -> Iterator[EvalClip]:
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(self.texts):
            name = f"{text.group}-{number:02d}"
            voice = Voice(text.speaker, to_codes(text.prompt.codes(), self.codec))
            prompt, target = folder / f"{name}-prompt.wav", folder / f"{name}-recording.wav"
            decode(voice.codes, self.codec).write(prompt)
            if text.recording:
                decode(to_codes(text.recording.codes(), self.codec), self.codec).write(target)
            path = folder / f"{name}.wav"
            try:
                result = synthesizer.synthesize(
                    text.text, voice=voice, language=text.language, seed=number
                )
            except VallEError as exc:  # a text that cannot be spoken must not end the run
                log.warning("sample %s: %s", name, exc.message)
                continue
            result.save(path)
            yield EvalClip(
                path,
                text.text,
                text.speaker,
                text.group,
                reference=target if text.recording else prompt,
            )

    def _judged(self, clips: Sequence[EvalClip]) -> EvalReport:
        items = Items(tuple(clips), pooled=False)
        names = self.registry.names("judge")
        choices = [choose(name, JudgeChoice, self.registry, source="judge") for name in names]
        panel = Panel.of(choices, items.case([], 0), all_of_them=False)
        judged = judge_all(items.items, panel, lambda: panel, workers=0)
        return EvalReport.of(items, judged, panel, seed=0, run={})


def clips_in(folder: Path) -> list[tuple[str, Path]]:
    """What the model has spoken, by name: without prompts and recordings."""
    paths = sorted(folder.glob("*.wav"))
    return [(path.stem, path) for path in paths if path.stem[-1:].isdecimal()]


def stft_distance(spoken: Float[np.ndarray, " s"], recording: Float[np.ndarray, " r"]) -> float:
    """Mean absolute difference of the log magnitudes, over three window lengths, in nepers.

    Of the shorter length. Multi-resolution STFT (Yamamoto et al. 2020,
    https://arxiv.org/abs/1910.11480).
    """
    shorter = min(len(spoken), len(recording))
    pair = torch.tensor(np.stack([spoken[:shorter], recording[:shorter]]))
    return float(np.mean([_log_difference(pair, window) for window in WINDOWS]))


def _log_difference(pair: Float[Tensor, "2 s"], window: int) -> float:
    if pair.shape[1] < window:
        pair = torch.nn.functional.pad(pair, (0, window - pair.shape[1]))
    spectra = torch.stft(
        pair, window, window // 4, window=torch.hann_window(window), return_complex=True
    )
    logs = spectra.abs().clamp(min=1e-5).log()
    return float((logs[0] - logs[1]).abs().mean())


def _distances(clips: Sequence[EvalClip]) -> dict[str, float]:
    """The mean distance to the recordings, of each group that has them."""
    found: dict[str, list[float]] = {}
    for clip in clips:
        if clip.reference and clip.group != TEXTS:
            samples = [Clip.read(path).mono().samples for path in (clip.path, clip.reference)]
            found.setdefault(f"{clip.group}.stft_distance", []).append(stft_distance(*samples))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _figures(report: EvalReport) -> dict[str, float]:
    return {
        f"samples.{group}.{name}": summary.value
        for group, found in report.groups.items()
        for name, summary in found.items()
        if summary.value is not None
    }


def _own_texts(group: str, corpora: Sequence[Corpus], count: int) -> Iterator[SampleText]:
    """Utterances at equal distances, each with another one of its speaker as the prompt."""
    known = [one for corpus in corpora for one in corpus.utterances if one.entry.text]
    step = max(len(known) // count, 1)
    for one in known[::step][:count]:
        yield SampleText(
            group, one.entry.text, one.entry.language, one.entry.speaker, _prompt(one, known), one
        )


def _prompt(of: Utterance, among: Sequence[Utterance]) -> Utterance:
    """The next utterance of the speaker; the same one if there is no other."""
    same = [one for one in among if one.entry.speaker == of.entry.speaker]
    return same[(same.index(of) + 1) % len(same)]


def _given_texts(lines: Sequence[str], like: Sequence[SampleText]) -> Iterator[SampleText]:
    """Sentences after the prompts of the others, in turn."""
    for number, line in enumerate(lines):
        other = like[number % len(like)]
        yield SampleText(TEXTS, line, other.language, other.speaker, other.prompt, None)
