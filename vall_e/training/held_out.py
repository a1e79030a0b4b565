"""The batches that a run validates on, from the datasets of `data.validation`."""

from __future__ import annotations

from collections.abc import Mapping

from vall_e.config.schema import RunConfig
from vall_e.data.batching.build_loader import noises_of
from vall_e.data.batching.corpus import Corpus, make_corpus, require_alike
from vall_e.data.batching.mixing import CodeMixer, Materials
from vall_e.data.batching.training_data import TrainingData, needs_spelling
from vall_e.data.dataset.open import open_stored
from vall_e.data.dataset.wildcards import expanded
from vall_e.model.level_sampling import trained_levels
from vall_e.model.masking import Masking
from vall_e.registry import Registry
from vall_e.training.validation import ValidationBatch, make_trials


def held_out(data: TrainingData, config: RunConfig, registry: Registry) -> dict[str, Corpus]:
    """The datasets of `data.validation`, by the name of the folder.

    Raises `DataError` for a dataset that does not fit those of `data.train`.
    """
    first = data.datasets[0]
    paths = expanded(config.data.validation, registry, option="data.validation")
    found = [
        open_stored(folder, registry, assumed=first.info, bad_items=config.data.bad_items)
        for folders in paths
        for folder in folders
    ]
    for dataset in found:
        require_alike(first, dataset)
    return {
        dataset.folder.name: make_corpus(
            [dataset],
            data.vocabulary,
            config.text.languages,
            seconds=config.data.seconds,
            unknown=config.text.unknown,
            spelt=needs_spelling(config),
        )
        for dataset in found
    }


def validation_batches(
    corpora: Mapping[str, Corpus], data: TrainingData, config: RunConfig, registry: Registry
) -> dict[str, list[ValidationBatch]]:
    """The batches of each, together of `training.evaluate_seconds`."""
    seconds = config.training.evaluate_seconds / max(len(corpora), 1)
    return {
        name: _batches(data, corpus, config, registry, seconds) for name, corpus in corpora.items()
    }


def _batches(
    data: TrainingData, corpus: Corpus, config: RunConfig, registry: Registry, seconds: float
) -> list[ValidationBatch]:
    return make_trials(
        Materials(corpus, CodeMixer(config.codec.build), noises_of(corpus, config, registry)),
        config.tasks[0].build(),
        config.data,
        levels=_trained_levels(config, data.corpus.info.levels),
        masking=Masking.of(config, corpus.info.codebook_size),
        seconds=seconds,
    )


def _trained_levels(config: RunConfig, levels: int) -> list[int]:
    """The levels that this run trains: validating others would be meaningless."""
    if isinstance(config.training.levels, tuple):
        return sorted(set(config.training.levels))
    return list(trained_levels(levels, config.model.capabilities, config.training.level_range))
