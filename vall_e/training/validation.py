"""Validation losses, and whether the model uses its text at all.

`ar_wrong_text` is the loss of the same speech given the text of another sample. It equals `ar`
until attention has aligned phonemes and frames; then a gap opens. A loss that falls without
that gap means that the model has memorized the speech.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle

import attrs
import torch
from attrs import frozen

from vall_e.config.data import DataConfig
from vall_e.data.batching.batch_sampler import SampleSpec
from vall_e.data.batching.corpus import BadItemError
from vall_e.data.batching.loader import make_order
from vall_e.data.batching.mixing import Materials
from vall_e.interfaces.task import Sample, Task
from vall_e.interfaces.training import Engine
from vall_e.model.masking import Masking
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle

log = logging.getLogger(__name__)


@frozen(eq=False)
class ValidationBatch:
    """A batch of examples of one stage, whose loss is reported as `name`."""

    name: str
    stage: str
    examples: Sequence[Example]


def make_trials(
    materials: Materials,
    task: Task,
    config: DataConfig,
    *,
    levels: Sequence[int],
    seconds: float,
    masking: Masking | None = None,
) -> list[ValidationBatch]:
    """The same at every call. Whole batches of about `seconds` of audio, at least one."""
    trials: list[ValidationBatch] = []
    corpus = materials.corpus
    config = attrs.evolve(config, shares=(), balance=(), appended=0.0, silence=0.0)
    later = cycle([level for level in levels if level > 0])
    for draws in make_order(corpus, config, seed=0).epoch(0):
        draws = [draw for draw in draws if materials.serve(task.wants, draw.utterance)]
        samples = _samples(materials, task, draws, config)
        if samples:
            trials += _trials_of(task, samples, levels, later, masking)
        seconds -= sum(corpus.utterances[draw.utterance].entry.seconds for draw in draws)
        if seconds <= 0:
            break
    return trials


@torch.no_grad()
def evaluate(model: Valle, trials: Sequence[ValidationBatch], engine: Engine) -> dict[str, float]:
    """Mean loss per token by batch name, and the accuracy of `ar`, `nar` and `text`."""
    sums: dict[str, float] = {}
    tokens: dict[str, int] = {}
    was_training = model.training
    model.eval()
    for trial in trials:
        with engine.autocast():
            losses = model.loss(trial.examples, ignore_inputs=True)
        found = {trial.name: losses.nll[trial.stage]}
        if trial.name == trial.stage:
            found[f"{trial.name}_accuracy"] = losses.accuracy[trial.stage]
        for name, value in found.items():
            sums[name] = sums.get(name, 0.0) + float(value) * losses.tokens
            tokens[name] = tokens.get(name, 0) + losses.tokens
    model.train(was_training)
    return {name: sums[name] / tokens[name] for name in sums}


def evaluate_sets(
    model: Valle, sets: Mapping[str, Sequence[ValidationBatch]], engine: Engine
) -> dict[str, float]:
    """Over all validation sets together as `validation.*`, and if there are several, over each."""
    joined = [trial for trials in sets.values() for trial in trials]
    found = {f"validation.{name}": v for name, v in evaluate(model, joined, engine).items()}
    if len(sets) > 1:
        for label, trials in sets.items():
            for name, value in evaluate(model, trials, engine).items():
                found[f"validation.{label}.{name}"] = value
    return found


def _trials_of(
    task: Task,
    samples: Sequence[Sample],
    levels: Sequence[int],
    later: Iterator[int],
    masking: Masking | None,
) -> list[ValidationBatch]:
    """`later` gives the level of each NAR example, so that all levels occur over all batches."""
    if task.target != "response":
        target = [_example(task, sample, 0) for sample in samples]
        return [ValidationBatch(task.target, task.target, target)]
    trials: list[ValidationBatch] = []
    for stage, make in _of_level_0(masking) if 0 in levels else []:
        trials.append(ValidationBatch(stage, stage, [make(_example(task, s, 0)) for s in samples]))
        wrong = [_with_text_of_another(sample, samples) for sample in samples]
        swapped = [make(_example(task, s, 0)) for s in wrong if s is not None]
        if swapped:
            trials.append(ValidationBatch(f"{stage}_wrong_text", stage, swapped))
    if max(levels) > 0:
        refined = [_example(task, sample, next(later)) for sample in samples]
        trials.append(ValidationBatch("nar", "nar", refined))
    return trials


def _of_level_0(masking: Masking | None) -> list[tuple[str, Callable[[Example], Example]]]:
    """The stages that predict level 0, and how each forms examples (with fixed masks)."""
    stages: list[tuple[str, Callable[[Example], Example]]] = []
    if masking is None or masking.share < 1:
        stages.append(("ar", lambda example: example))
    if masking is not None:
        always = attrs.evolve(masking, share=1.0)
        stages.append(("masked", lambda example: always(example, random.Random(len(example)))))
    return stages


def _samples(
    materials: Materials, task: Task, draws: Sequence[SampleSpec], config: DataConfig
) -> list[Sample]:
    """All samples that can be made; unreadable ones are skipped if the config says so."""
    samples: list[Sample] = []
    for draw in draws:
        try:
            samples.append(_sample(materials, task, draw))
        except BadItemError as exc:
            if config.bad_items == "error":
                raise
            log.warning("left out of the validation: %s", exc.message)
    return samples


def _sample(materials: Materials, task: Task, draw: SampleSpec) -> Sample:
    corpus = materials.corpus
    utterance = corpus.utterances[draw.utterance]
    frames = round(draw.prompt_seconds * corpus.info.frame_rate)
    return task.sample(
        text=torch.from_numpy(utterance.text),
        language=utterance.language,
        codes=utterance.codes(),
        source=materials.of(draw.utterance, frames),
        rng=draw.rng(0),
    )


def _example(task: Task, sample: Sample, level: int) -> Example:
    return Example(tuple(task.segments(sample, level=level)), level)


def _with_text_of_another(sample: Sample, samples: Sequence[Sample]) -> Sample | None:
    """The text of the next sample in the batch with a different text in the same language.

    Samples in a batch have similar lengths, so the wrong text has about the right length.
    """
    start = next(i for i, other in enumerate(samples) if other is sample)
    for other in (*samples[start + 1 :], *samples[:start]):
        if other.language == sample.language and not torch.equal(other.text, sample.text):
            return attrs.evolve(sample, text=other.text)
    return None
