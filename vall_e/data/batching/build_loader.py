"""The batches of a run, and what is mixed into their samples."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

import attrs

from vall_e.config.data import DataConfig
from vall_e.config.schema import RunConfig
from vall_e.data.batching.corpus import Corpus, require_alike_codes
from vall_e.data.batching.loader import Loader, Maker, make_order
from vall_e.data.batching.mixing import CodeMixer, Materials, no_noise
from vall_e.data.batching.prompts import AnyOther, PromptNoise, PromptSource, Similar, similar_in
from vall_e.data.dataset.open import open_stored
from vall_e.data.dataset.wildcards import expanded
from vall_e.interfaces.store import Stored
from vall_e.model.level_sampling import level_sampler
from vall_e.model.masking import Masking
from vall_e.registry import Registry

NEWER = (
    "balance",
    "order",
    "prompt_parts",
    "prompt_similar",
    "prompt_nearest",
    "prompt_noise",
    "prompt_noise_decibels",
    "appended",
    "appended_utterances",
    "silence",
    "silence_seconds",
)
"""Options that affect batches, and had no effect at the default they were introduced with."""
ONCE = {"order": "duration"}
"""For those whose default has changed since, the default they were introduced with."""

log = logging.getLogger(__name__)


def loader_of(
    corpus: Corpus,
    config: RunConfig,
    registry: Registry,
    *,
    folders: Sequence[int] = (),
    rank: int = 0,
    world_size: int = 1,
) -> Loader:
    """The batches of a run. `folders` counts the datasets behind each path of `data.train`."""
    data = config.data
    materials = Materials(
        corpus,
        CodeMixer(config.codec.build),
        noises_of(corpus, config, registry),
        prompts=_prompts(corpus, data),
        prompt_parts=data.prompt_parts,
        prompt_noise=PromptNoise(data.prompt_noise, data.prompt_noise_decibels),
    )
    tasks = [task.build() for task in config.tasks]
    materials.require(tasks)
    mixes = bool(data.prompt_noise) or any(t.wants.noise or t.wants.strangers for t in tasks)
    if not data.workers and mixes:
        log.warning("mixing audio slows training down: set data.workers to 2 or more")
    maker = Maker(
        corpus=corpus,
        tasks=tasks,
        draw_level=level_sampler(
            config.training.levels,
            corpus.info.levels,
            config.model.capabilities,
            within=config.training.level_range,
        ),
        seed=config.training.seed,
        without_text=data.without_text,
        without_both=data.without_both,
        masking=Masking.of(config, corpus.info.codebook_size),
        materials=materials,
    )
    return Loader(
        make_order(corpus, data, seed=config.training.seed, folders=folders),
        maker,
        rank=rank,
        world_size=world_size,
        workers=data.workers,
        bad_items=data.bad_items,
    )


def noises_of(corpus: Corpus, config: RunConfig, registry: Registry) -> list[Stored]:
    """The noise datasets; `DataError` if their codec is not the corpus's."""
    paths = expanded(config.data.noise, registry, option="data.noise")
    noises = [
        open_stored(folder, registry, assumed=corpus.info, bad_items=config.data.bad_items)
        for found in paths
        for folder in found
    ]
    for noise in noises:
        require_alike_codes(corpus.info, noise)
    if config.data.prompt_noise and not noises:
        raise no_noise("data.prompt_noise mixes noise into prompts")
    return noises


def _prompts(corpus: Corpus, data: DataConfig) -> PromptSource:
    if not data.prompt_similar:
        return AnyOther()
    return Similar(data.prompt_similar, similar_in(corpus, data.prompt_nearest))


def mark_of(corpus: Corpus, data: DataConfig | None = None, noises: Sequence[Stored] = ()) -> str:
    """Changes when the utterances do; with `data`, also when the sequence of batches does."""
    digest = hashlib.sha256()
    for utterance in corpus.utterances:
        digest.update(f"{utterance.entry.id}\t{utterance.entry.frames}\n".encode())
    if data:
        cut = (data.shares, data.prompt_seconds, data.without_prompt, data.batch_seconds)
        digest.update(repr(cut).encode())
        if data.batch_size:
            digest.update(repr(data.batch_size).encode())
        if noises:
            digest.update(repr([len(noise.entries) for noise in noises]).encode())
        digest.update("".join(_changed(data)).encode())
    return digest.hexdigest()[:16]


def _changed(data: DataConfig) -> list[str]:
    """The newer options that are not at the default they were introduced with."""
    options = [option for option in attrs.fields(DataConfig) if option.name in NEWER]
    return [
        f"{option.name}={getattr(data, option.name)!r}"
        for option in options
        if getattr(data, option.name) != ONCE.get(option.name, option.default)
    ]
