"""How a model speaks before and after its adaptation: the same sentences, judged alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from vall_e.config.choices import JudgeChoice
from vall_e.config.component_option import choose
from vall_e.evaluation.clips import EvalClip, Items
from vall_e.evaluation.generate_clips import orders, speak
from vall_e.evaluation.judge_panel import Panel, judge_all
from vall_e.evaluation.page import write_page
from vall_e.evaluation.report import EvalReport
from vall_e.interfaces.judge import Figure
from vall_e.registry import Registry
from vall_e.synthesis.load import LoadOptions, open_synthesizer

JUDGES = ("similarity", "campp", "whisper", "recognition")
FIGURES = ("similarity", "campp", "whisper_wer", "open_wer", "closed_wer")
BEFORE, AFTER = "before", "after"
LONGEST = 120
"""Characters of a sentence that is spoken."""


@frozen
class HeldOutText:
    """A held-out text, and its recording."""

    text: str
    recording: Path


@frozen
class BeforeAndAfter:
    """Figures by name, before and after; and why other judges were not used."""

    figures: Mapping[str, tuple[float, float]]
    missing: Mapping[str, str]
    worse: tuple[str, ...] = ()
    """Figures that are worse after."""

    def lines(self) -> Iterator[str]:
        for name, (before, after) in self.figures.items():
            yield f"{name}: {before:.2f} before, {after:.2f} after"
        if self.worse:
            yield (
                f"Worse after than before: {', '.join(self.worse)}. Listen to both in the report; "
                "less of the LoRA (FILE:0.5) or more recordings may help."
            )
        for name, reason in self.missing.items():
            yield f"not judged by {name}: {reason}"


def chosen(sentences: Sequence[HeldOutText], count: int) -> list[HeldOutText]:
    """The first ones that are not long, if there are any."""
    return sorted(sentences, key=lambda one: len(one.text) > LONGEST)[:count]


def compare(
    model: Path,
    lora: Path,
    voice: Path,
    sentences: Sequence[HeldOutText],
    *,
    clips: Path,
    page: Path,
    registry: Registry,
) -> BeforeAndAfter:
    """Speak the sentences in the voice, without and with the LoRA, and judge both.

    Clips that `clips` has are not spoken again. The report is also written as a page.
    """
    items = tuple(
        evolve(item, group=group, speaker="", reference=sentence.recording)
        for group, loras in ((BEFORE, ()), (AFTER, (str(lora),)))
        for item, sentence in zip(
            _spoken(model, loras, voice, sentences, clips, registry), sentences, strict=True
        )
    )
    both = Items(items, pooled=False)
    choices = [choose(name, JudgeChoice, registry, source="judges") for name in JUDGES]
    case = both.case((), 0)
    panel = Panel.of(choices, case, all_of_them=False)
    judged = judge_all(items, panel, lambda: panel, workers=0)
    report = EvalReport.of(both, judged, panel, seed=0, run={"command": "vall-e adapt"})
    write_page(report, page)
    before, after = report.groups[BEFORE], report.groups[AFTER]
    pairs = {name: (before[name].value, after[name].value) for name in FIGURES if name in before}
    figures = {k: (a, b) for k, (a, b) in pairs.items() if a is not None and b is not None}
    worse = [name for name, pair in figures.items() if _is_worse(*pair, report.figures[name])]
    return BeforeAndAfter(figures, {**report.unavailable, **report.failures}, tuple(worse))


def _is_worse(before: float, after: float, figure: Figure) -> bool:
    return after < before if figure.better == "higher" else after > before


def _spoken(
    model: Path,
    loras: Sequence[str],
    voice: Path,
    sentences: Sequence[HeldOutText],
    clips: Path,
    registry: Registry,
) -> tuple[EvalClip, ...]:
    synthesizer = open_synthesizer(LoadOptions(model=model, loras=loras), registry)
    texts = [sentence.text for sentence in sentences]
    return speak(synthesizer, orders(texts, [str(voice)], seed=0, repeats=1), clips).items
