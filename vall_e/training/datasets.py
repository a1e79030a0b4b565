"""The datasets that a run trains and validates on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from vall_e.config.schema import RunConfig
from vall_e.data.batching.corpus import Corpus, make_corpus, open_datasets, require_alike, texts_of
from vall_e.data.batching.mixing import CodeMixer, Materials
from vall_e.data.dataset.open import info_of, open_stored
from vall_e.data.dataset.wildcards import expanded
from vall_e.errors import DataError
from vall_e.interfaces.store import Info, Stored
from vall_e.model.level_sampling import trained_levels
from vall_e.model.masking import Masking
from vall_e.registry import Registry
from vall_e.text.tokenizers import new_vocabulary, require_tokenizer
from vall_e.text.vocabulary import Vocabulary
from vall_e.training.build_loader import noises_of
from vall_e.training.validation import ValidationBatch, make_trials
from vall_e.weights.metadata import read_metadata

log = logging.getLogger(__name__)


@frozen(eq=False)
class TrainingData:
    """The datasets of `data.train`, and the vocabulary that encodes their texts."""

    datasets: Sequence[Stored]
    folders: Sequence[int]
    """How many datasets each path of `data.train` expands to."""
    vocabulary: Vocabulary
    corpus: Corpus

    @classmethod
    def open(
        cls, config: RunConfig, registry: Registry, weights: Path | None, *, limit: int | None
    ) -> TrainingData:
        """With the vocabulary of `weights`, if given; only the first `limit` utterances.

        Raises `DataError` for data that one model cannot train on together, or not with this
        config.
        """
        paths = expanded(config.data.train, registry, option="data.train")
        datasets = _open([folder for folders in paths for folder in folders], config, registry)
        vocabulary = _vocabulary(datasets, config, weights)
        corpus = _corpus(datasets, vocabulary, config, limit=limit)
        _log_corpus(corpus, limit)
        return cls(datasets, [len(folders) for folders in paths], vocabulary, corpus)

    def held_out(self, config: RunConfig, registry: Registry) -> dict[str, list[ValidationBatch]]:
        """The batches of each dataset of `data.validation`, by the name of its folder."""
        first = self.datasets[0]
        paths = expanded(config.data.validation, registry, option="data.validation")
        found = [
            open_stored(folder, registry, assumed=first.info, bad_items=config.data.bad_items)
            for folders in paths
            for folder in folders
        ]
        sets: dict[str, list[ValidationBatch]] = {}
        for dataset in found:
            require_alike(first, dataset)
            seconds = config.training.evaluate_seconds / len(found)
            sets[dataset.folder.name] = self._trials(dataset, config, registry, seconds)
        return sets

    def _trials(
        self, dataset: Stored, config: RunConfig, registry: Registry, seconds: float
    ) -> list[ValidationBatch]:
        corpus = make_corpus(
            [dataset],
            self.vocabulary,
            config.text.languages,
            seconds=config.data.seconds,
            unknown=config.text.unknown,
            spelt=_spelt(config),
        )
        return make_trials(
            Materials(corpus, CodeMixer(config.codec.build), noises_of(corpus, config, registry)),
            config.tasks[0].build(),
            config.data,
            levels=_trained_levels(config, self.corpus.info.levels),
            masking=Masking.of(config, corpus.info.codebook_size),
            seconds=seconds,
        )


def _open(folders: Sequence[Path], config: RunConfig, registry: Registry) -> list[Stored]:
    if not folders:
        raise DataError(
            "data.train lists no dataset",
            hint="make one with `vall-e data process` and list its folder there",
        )
    ours = info_of(config)
    datasets = open_datasets(folders, registry, assumed=ours, bad_items=config.data.bad_items)
    _require_as_configured(datasets[0], ours)
    return datasets


def _require_as_configured(dataset: Stored, ours: Info) -> None:
    """Raise `DataError` if the model would be saved with a different codec or phonemizer."""
    info = dataset.info
    differences = info.differences(ours)
    if differences:
        raise DataError(
            f"{dataset.folder} was made with {info.describe(differences)}, "
            f"the config has {ours.describe(differences)}",
            hint="set codec and text.phonemizer as they were when the dataset was made, "
            "or process the recordings again with `vall-e data process -c`",
        )


def _vocabulary(datasets: Sequence[Stored], config: RunConfig, weights: Path | None) -> Vocabulary:
    """The symbols in the training data: the model would not know the ids of any others."""
    if weights is None:
        return new_vocabulary(config.text, texts_of(datasets, spelt=_spelt(config)))
    vocabulary = Vocabulary.from_json(read_metadata(weights)["vocabulary"])
    require_tokenizer(config.text, vocabulary)
    return vocabulary


def _spelt(config: RunConfig) -> bool:
    """Whether a task needs spelled texts."""
    return any(task.build().wants.spelling != "unused" for task in config.tasks)


def _corpus(
    datasets: Sequence[Stored],
    vocabulary: Vocabulary,
    config: RunConfig,
    *,
    limit: int | None = None,
) -> Corpus:
    shares = config.data.shares
    if shares and len(shares) != len(config.data.train):
        raise DataError(
            f"data.shares has {len(shares)} numbers for {len(config.data.train)} folders",
            hint="give one number for each folder of data.train",
        )
    return make_corpus(
        datasets,
        vocabulary,
        config.text.languages,
        seconds=config.data.seconds,
        unknown=config.text.unknown,
        limit=limit,
        spelt=_spelt(config),
        speakers=config.data.speakers,
        least=config.data.min_utterances,
        most=config.data.max_utterances,
    )


def _log_corpus(corpus: Corpus, overfit: int | None) -> None:
    hours = corpus.seconds.sum() / 3600
    log.info("%d utterances, %.2f h, %d speakers", len(corpus), hours, len(corpus.speakers))
    for reason, count in corpus.left_out.items():
        log.warning("left out %d utterances %s", count, reason)
    if overfit and len(corpus) < overfit:
        log.warning("overfit: %d utterances requested, but there are only %d", overfit, len(corpus))


def _trained_levels(config: RunConfig, levels: int) -> list[int]:
    """The levels that this run trains: validating others would be meaningless."""
    if isinstance(config.training.levels, tuple):
        return sorted(set(config.training.levels))
    return list(trained_levels(levels, config.model.capabilities, config.training.level_range))
