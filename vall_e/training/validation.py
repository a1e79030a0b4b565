"""Validation losses, and whether the model uses its text at all.

`ar_wrong_text` is the loss of the same clips, each given the text of another one. It equals `ar`
until attention has aligned phonemes and frames; then a gap opens. A loss that falls without
that gap means that the model has memorized the speech.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice

import attrs
import torch
from attrs import frozen
from torch import Tensor, nn

from vall_e.config.data import DataConfig
from vall_e.data.batching.batch_sampler import SampleSpec
from vall_e.data.batching.corpus import BadItemError
from vall_e.data.batching.loader import make_order
from vall_e.data.batching.mixing import Materials
from vall_e.interfaces.task import Sample, Task
from vall_e.interfaces.training import Engine
from vall_e.model.masking import Masking
from vall_e.model.sequence import Example
from vall_e.training.metrics import WeightedSums, added, means_of
from vall_e.training.wrong_texts import with_wrong_texts

WRONG = "_wrong_text"
"""After the name of a stage: its loss with wrong texts."""
SEED = 0
"""Of the order of the clips, their cuts and their wrong texts: alike in all runs."""

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
    batches: list[list[Sample]] = []
    corpus = materials.corpus
    config = attrs.evolve(config, shares=(), balance=(), appended=0.0, silence=0.0)
    for draws in make_order(corpus, config, seed=SEED).epoch(0):
        draws = [draw for draw in draws if materials.serve(task.wants, draw.utterance)]
        samples = _samples(materials, task, draws, config)
        if samples:
            batches.append(samples)
        seconds -= sum(corpus.utterances[draw.utterance].entry.seconds for draw in draws)
        if seconds <= 0:
            break
    later = cycle([level for level in levels if level > 0])
    wrongs = _wrong(batches) if task.wants.text != "unused" else [[] for _ in batches]
    return [
        trial
        for samples, wrong in zip(batches, wrongs, strict=True)
        for trial in _trials_of(task, samples, wrong, levels, later, masking)
    ]


@torch.no_grad()
def evaluate(
    objective: nn.Module, trials: Sequence[ValidationBatch], engine: Engine
) -> dict[str, float]:
    """Mean loss per token by batch name, and the accuracy of `ar`, `nar` and `text`.

    The ranks share the batches, and all get the means over all. The loss with wrong texts is only
    returned if every clip has one: the means are comparable.
    """
    was_training = objective.training
    objective.eval()
    sums: WeightedSums = {}
    for number in range(engine.rank, len(trials) + engine.rank, engine.world_size):
        # Ranks that have one batch less than others still run one: a sharded model needs all.
        trial = trials[number % len(trials)]
        with engine.autocast():
            losses = objective(trial.examples)
        if number < len(trials):
            sums = added([sums, _sums_of(trial, losses)])
    objective.train(was_training)
    sums = added(engine.gather(sums))
    whole = {name for name in sums if sums[name][1] == sums[name.removesuffix(WRONG)][1]}
    return {name: mean for name, mean in means_of(sums).items() if name in whole}


def _sums_of(trial: ValidationBatch, losses: Mapping[str, Tensor]) -> WeightedSums:
    found = {trial.name: losses[f"nll.{trial.stage}"]}
    if trial.name == trial.stage:
        found[f"{trial.name}_accuracy"] = losses[f"accuracy.{trial.stage}"]
    tokens = float(losses[f"tokens.{trial.stage}"])
    return {name: (float(value) * tokens, tokens) for name, value in found.items()}


def evaluate_sets(
    objective: nn.Module, sets: Mapping[str, Sequence[ValidationBatch]], engine: Engine
) -> dict[str, float]:
    """Over all validation sets together as `validation.*`, and if there are several, over each."""
    joined = [trial for trials in sets.values() for trial in trials]
    found = {f"validation.{name}": v for name, v in evaluate(objective, joined, engine).items()}
    if len(sets) > 1:
        for label, trials in sets.items():
            for name, value in evaluate(objective, trials, engine).items():
                found[f"validation.{label}.{name}"] = value
    return found


def _trials_of(
    task: Task,
    samples: Sequence[Sample],
    wrong: Sequence[Sample],
    levels: Sequence[int],
    later: Iterator[int],
    masking: Masking | None,
) -> list[ValidationBatch]:
    """`wrong` are the samples with other texts, or empty.

    `later` gives the level of each NAR example, so that all levels occur over all batches.
    """
    if task.target != "response":
        target = [_example(task, sample, 0) for sample in samples]
        return [ValidationBatch(task.target, task.target, target)]
    trials: list[ValidationBatch] = []
    for stage, make in _of_level_0(masking) if 0 in levels else []:
        trials.append(ValidationBatch(stage, stage, [make(_example(task, s, 0)) for s in samples]))
        swapped = [make(_example(task, sample, 0)) for sample in wrong]
        if swapped:
            trials.append(ValidationBatch(f"{stage}{WRONG}", stage, swapped))
    if max(levels) > 0:
        refined = [_example(task, sample, next(later)) for sample in samples]
        trials.append(ValidationBatch("nar", "nar", refined))
    return trials


def _wrong(batches: Sequence[Sequence[Sample]]) -> list[list[Sample]]:
    """The same batches with wrong texts; empty ones where there is no other text."""
    samples = [sample for batch in batches for sample in batch]
    swapped = iter(with_wrong_texts(samples, SEED) or ())
    return [list(islice(swapped, len(batch))) for batch in batches]


def _of_level_0(masking: Masking | None) -> list[tuple[str, Callable[[Example], Example]]]:
    """The stages that predict level 0, and how each forms examples.

    A clip has the same masked frames in every pass, also with a wrong text.
    """
    stages: list[tuple[str, Callable[[Example], Example]]] = []
    if masking is None or masking.share < 1:
        stages.append(("ar", lambda example: example))
    if masking is not None:
        always = attrs.evolve(masking, share=1.0)
        stages.append(("masked", lambda e: always(e, random.Random(len(e.target)))))
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
