"""From a config to a run that can start, or go on."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from vall_e.config.marks import is_name
from vall_e.config.schema import RunConfig
from vall_e.data.corpus import Corpus, make_corpus, open_datasets, require_alike, texts_of
from vall_e.data.opening import info_of, open_stored
from vall_e.data.source import Materials, Mixer
from vall_e.data.wildcards import expanded
from vall_e.discovery import discover
from vall_e.errors import CheckpointError, DataError, TrainingError, UnknownComponentError
from vall_e.interfaces.store import Info, Stored
from vall_e.model.code_table import vectors_of
from vall_e.model.embedding import Sizes
from vall_e.model.layer_skip import layer_skip_of
from vall_e.model.levels import trained_levels
from vall_e.model.masking import Masking
from vall_e.model.valle import Valle, build_valle
from vall_e.model.weights import Bundle, model_tensors, read_metadata
from vall_e.model.wrapping import wrapped
from vall_e.registry import Registry
from vall_e.text.tokenizers import new_vocabulary, require_tokenizer
from vall_e.text.vocabulary import Vocabulary
from vall_e.training.checkpoint import WEIGHTS, find_weights, latest, read_state
from vall_e.training.evaluation import Trial, make_trials
from vall_e.training.feeding import loader_of, mark_of, noises_of
from vall_e.training.frozen import freeze
from vall_e.training.loop import Marks, Run, restore
from vall_e.training.objective import Objective
from vall_e.training.rate import Rate
from vall_e.training.rehearsal import rehearse
from vall_e.training.resuming import require_fit, require_same
from vall_e.training.wrappers import base_of, take_up

log = logging.getLogger(__name__)


def open_run(
    config: RunConfig,
    folder: Path,
    *,
    resume: bool = False,
    overfit: int | None = None,
    registry: Registry | None = None,
) -> Run:
    """Data, model, optimizer and engine of a run whose checkpoints go to `folder`.

    With `resume` it stands where its latest checkpoint stood; there need not be one. With
    `overfit` it has the first so many utterances and no validation. Paths of the config count
    from the working directory. `registry` knows the stores of data and the models that
    `training.start_from` can name; by default those that are installed.
    """
    checkpoint = _checkpoint(folder, resume=resume)
    registry = registry or discover()
    weights = checkpoint / WEIGHTS if checkpoint else _first_weights(config, registry)
    if config.training.threads:
        torch.set_num_threads(config.training.threads)
    paths = expanded(config.data.train, registry, option="data.train")
    datasets = _open([folder for folders in paths for folder in folders], config, registry)
    vocabulary = _vocabulary(datasets, config, weights)
    corpus = _corpus(datasets, vocabulary, config, limit=overfit)
    _log_corpus(corpus, overfit)
    if checkpoint:
        require_same(checkpoint / WEIGHTS, config, corpus.info)
    elif weights:
        require_fit(weights, config, corpus.info)
    tensors = model_tensors(weights) if weights else {}
    if not checkpoint and base_of(tensors).keys() != tensors.keys():
        raise CheckpointError(
            f"{weights} holds a LoRA beside its base",
            hint=f"make one model of both: vall-e export {weights} --merge -o merged.safetensors",
        )
    model = wrapped(
        _model(config, corpus, vocabulary, weights),
        config.training.wrappers,
        option="training.wrappers",
        learning=True,
    )
    if frozen := freeze(model, config.training.frozen):
        log.info("frozen: %s", ", ".join(frozen))
    if checkpoint:
        take_up(model, tensors)
    bundle = Bundle(model, config, vocabulary, corpus.info.codec, {})
    engine = config.training.engine.build()
    optimizer = config.training.optimizer.build(model.named_parameters())
    objective = engine.prepare(
        _objective(model, config),
        optimizer,
        device=config.training.device,
        precision=config.training.precision,
    )
    rehearse(model, engine)
    log.info("device %s, precision %s", engine.device, config.training.precision)
    schedule = config.training.schedule.build(max_steps=config.training.max_steps)
    loader = loader_of(
        corpus,
        config,
        registry,
        folders=[len(folders) for folders in paths],
        rank=engine.rank,
        world_size=engine.world_size,
    )
    noises = loader.maker.materials.noises
    run = Run(
        folder=folder,
        config=config.training,
        bundle=bundle,
        objective=objective,
        engine=engine,
        optimizer=optimizer,
        rate=Rate(optimizer, schedule),
        loader=loader,
        validation=(
            {} if overfit else _validation(config, vocabulary, corpus, datasets[0], registry)
        ),
        marks=Marks(mark_of(corpus), mark_of(corpus, config.data, noises)),
    )
    if checkpoint:
        restore(run, read_state(checkpoint))
    return run


def _objective(model: Valle, config: RunConfig) -> Objective:
    training = config.training
    layer_skip = layer_skip_of(
        training.layer_skip,
        model.backbone,
        name=config.model.backbone.name,
        max_steps=training.max_steps,
    )
    return Objective(model, training, layer_skip=layer_skip)


def _checkpoint(folder: Path, *, resume: bool) -> Path | None:
    checkpoint = latest(folder)
    if checkpoint and not resume:
        raise TrainingError(
            f"{folder} holds a run already, with {checkpoint.name}",
            hint="go on with --resume, or choose another folder with --set training.output=...",
        )
    return checkpoint


def _first_weights(config: RunConfig, registry: Registry) -> Path | None:
    """What `training.start_from` names; None: the model starts from nothing."""
    name = config.training.start_from
    if not name:
        return None
    if not is_name(name):
        return find_weights(Path(name))
    try:
        component = registry.get("model", name)
    except UnknownComponentError as exc:
        if not Path(name).exists():
            raise
        raise UnknownComponentError(
            exc.message, hint=f"write ./{name} for the file or folder of that name"
        ) from exc
    weights: Path = component.build(component.config())
    return weights


def _open(folders: Sequence[Path], config: RunConfig, registry: Registry) -> list[Stored]:
    if not folders:
        raise DataError(
            "data.train names no dataset",
            hint="make one with `vall-e data process` and list its folder there",
        )
    ours = info_of(config)
    datasets = open_datasets(folders, registry, assumed=ours, bad_items=config.data.bad_items)
    _require_as_configured(datasets[0], ours)
    return datasets


def _require_as_configured(dataset: Stored, ours: Info) -> None:
    """Raise `DataError` if the model would be saved with another codec or phonemizer."""
    info = dataset.info
    differences = info.differences(ours)
    if differences:
        raise DataError(
            f"{dataset.folder} was made with {info.told(differences)}, "
            f"the config has {ours.told(differences)}",
            hint="set codec and text.phonemizer as they were when the dataset was made, "
            "or process the recordings again with `vall-e data process -c`",
        )


def _vocabulary(datasets: Sequence[Stored], config: RunConfig, weights: Path | None) -> Vocabulary:
    """The symbols that the data teach: others would be ids that mean nothing to the model."""
    if weights is None:
        return new_vocabulary(config.text, texts_of(datasets, spelt=_spelt(config)))
    vocabulary = Vocabulary.from_json(read_metadata(weights)["vocabulary"])
    require_tokenizer(config.text, vocabulary)
    return vocabulary


def _spelt(config: RunConfig) -> bool:
    """Whether a task asks for texts as they are spelt."""
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
            hint="give one for each folder of data.train",
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
        log.warning("overfit: %d utterances were asked for, there are %d", overfit, len(corpus))


def _model(
    config: RunConfig, corpus: Corpus, vocabulary: Vocabulary, weights: Path | None
) -> Valle:
    kind, codec = config.model.code_vectors, config.codec
    vectors = vectors_of(kind, codec.build(), name=codec.name) if kind != "learnt" else None
    sizes = Sizes.of(
        levels=corpus.info.levels,
        codebook_size=corpus.info.codebook_size,
        vocabulary=len(vocabulary),
        languages=len(config.text.languages),
        tasks=[task.build() for task in config.tasks],
        code_width=0 if vectors is None else vectors.shape[-1],
    )
    torch.manual_seed(config.training.seed)
    model = build_valle(config.model, sizes)
    if vectors is not None:
        model.embedding.take_code_vectors(vectors)
    if weights:
        try:
            known = base_of(model_tensors(weights))  # half precision becomes single on the way
            model.load_state_dict({**_of_new_tasks(model, weights), **known})
        except RuntimeError as exc:
            raise CheckpointError(
                f"{weights} does not fit the config: {exc}",
                hint="take the model section and the data that it was trained with",
            ) from exc
    return model


def _of_new_tasks(model: Valle, weights: Path) -> dict[str, Tensor]:
    """What the model has beside that of `weights`, since it is to learn more tasks: as drawn."""
    sizes = json.loads(read_metadata(weights)["sizes"])
    known = tuple(f"embedding.markers.{name}." for name in sizes.get("markers", ()))
    new = ["embedding.markers."] + (["heads.text."] if not sizes.get("writes_text") else [])
    new += [f"{part}.{kind}." for part in ("embedding", "heads") for kind in ("masked", "length")]
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name.startswith(tuple(new)) and not name.startswith(known)
    }


def _validation(
    config: RunConfig,
    vocabulary: Vocabulary,
    corpus: Corpus,
    trained: Stored,
    registry: Registry,
) -> dict[str, list[Trial]]:
    paths = expanded(config.data.validation, registry, option="data.validation")
    datasets = [
        open_stored(folder, registry, assumed=trained.info, bad_items=config.data.bad_items)
        for folders in paths
        for folder in folders
    ]
    sets: dict[str, list[Trial]] = {}
    levels = _trained_levels(config, corpus.info.levels)
    for dataset in datasets:
        require_alike(trained, dataset)
        held_out = make_corpus(
            [dataset],
            vocabulary,
            config.text.languages,
            seconds=config.data.seconds,
            unknown=config.text.unknown,
            spelt=_spelt(config),
        )
        sets[dataset.folder.name] = make_trials(
            Materials(held_out, Mixer(config.codec.build), noises_of(held_out, config, registry)),
            config.tasks[0].build(),
            config.data,
            levels=levels,
            masking=Masking.of(config, held_out.info.codebook_size),
            seconds=config.training.evaluate_seconds / len(datasets),
        )
    return sets


def _trained_levels(config: RunConfig, levels: int) -> list[int]:
    """The levels that this run teaches: validating others would say nothing of it."""
    if isinstance(config.training.levels, tuple):
        return sorted(set(config.training.levels))
    return list(trained_levels(levels, config.model.capabilities, config.training.level_range))
