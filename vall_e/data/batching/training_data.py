"""The datasets that a run trains on, opened and checked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from vall_e.config.schema import RunConfig
from vall_e.data.batching.corpus import Corpus, make_corpus, open_datasets, texts_of
from vall_e.data.dataset.open import info_of
from vall_e.data.dataset.wildcards import expanded
from vall_e.errors import DataError
from vall_e.interfaces.store import Info, Stored
from vall_e.registry import Registry
from vall_e.text.tokenizers import new_vocabulary, require_tokenizer
from vall_e.text.vocabulary import Vocabulary
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
        return new_vocabulary(config.text, texts_of(datasets, spelt=needs_spelling(config)))
    vocabulary = Vocabulary.from_json(read_metadata(weights)["vocabulary"])
    require_tokenizer(config.text, vocabulary)
    return vocabulary


def needs_spelling(config: RunConfig) -> bool:
    """Whether a task of the run needs spelled texts."""
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
        spelt=needs_spelling(config),
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
