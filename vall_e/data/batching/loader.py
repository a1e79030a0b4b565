"""An endless sequence of batches, from the position where a run stopped."""

from __future__ import annotations

import logging
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Literal

import numpy as np
import torch
from attrs import Factory, evolve, frozen
from torch.utils.data import DataLoader, Dataset, Sampler

from vall_e.config.data import DataConfig
from vall_e.data.batching.batch_orders import ARRANGEMENTS, EpochSamples
from vall_e.data.batching.batch_sampler import BatchSampler, Position, Room, SampleSpec
from vall_e.data.batching.concatenation import NOTHING, Addition, Lengthening
from vall_e.data.batching.corpus import BadItemError, Corpus
from vall_e.data.batching.mixing import Materials
from vall_e.data.batching.sampling_pools import pools_of, shares_of
from vall_e.errors import DataError, VallEError
from vall_e.interfaces.store import Entry
from vall_e.interfaces.task import Task
from vall_e.model.masking import Masking
from vall_e.model.sequence import Condition, Example, Segment, without

STAND_INS = 8
"""Utterances to try in place of a batch that only has bad ones."""

log = logging.getLogger(__name__)


@frozen(eq=False)
class Batch:
    """Examples, the ids of their utterances, and the position of this rank's next batch.

    `seconds` is the audio of the utterances, without prompts and padding.
    """

    examples: Sequence[Example]
    ids: Sequence[str]
    seconds: float
    after: Position


@frozen(eq=False)
class Maker:
    """Makes the example for a sample: task, prompt and level, from the sample's random state."""

    corpus: Corpus
    tasks: Sequence[Task]
    draw_level: Callable[[Any], int]
    seed: int
    without_text: float = 0.0
    without_both: float = 0.0
    masking: Masking | None = None
    materials: Materials = Factory(lambda self: Materials(self.corpus), takes_self=True)

    def __call__(self, draw: SampleSpec) -> Example:
        rng = draw.rng(self.seed)
        frames = round(draw.prompt_seconds * self.corpus.info.frame_rate)
        task = rng.choice([t for t in self.tasks if self.materials.serve(t.wants, draw.utterance)])
        addition = draw.addition.for_task(task)
        source = self.materials.of(draw.utterance, frames, addition)
        spoken = source.spoken()
        sample = task.sample(
            text=spoken.text,
            language=self.corpus.utterances[draw.utterance].language,
            codes=spoken.codes,
            source=source,
            rng=rng,
        )
        level = self.draw_level(rng)
        left_out = self._left_out(rng.random())
        if task.target != "response":
            return Example(tuple(task.segments(sample, level=0)), 0)
        sample = without(sample, left_out)
        example = Example(tuple(task.segments(sample, level=level)), level)
        return self.masking(example, rng) if self.masking else example

    def _left_out(self, chance: float) -> tuple[Condition, ...]:
        if chance < self.without_both:
            return ("text", "prompt")
        return ("text",) if chance < self.without_both + self.without_text else ()


class Loader:
    """Batches of one rank: every `world_size`-th of a common sequence.

    Together, the ranks see each sample of an epoch once. `position` is that of the sequence's
    first batch that no rank has received; set it to continue from there. `left_out` has the reason
    for each sample that was left out.
    """

    def __init__(
        self,
        order: BatchSampler,
        maker: Maker,
        *,
        rank: int = 0,
        world_size: int = 1,
        workers: int = 0,
        bad_items: Literal["error", "skip"] = "error",
    ) -> None:
        self.order = order
        self.maker = maker
        self.rank = rank
        self.world_size = world_size
        self.workers = workers
        self.bad_items = bad_items
        self.left_out: Counter[str] = Counter()
        self.position = Position()

    def __iter__(self) -> Iterator[Batch]:
        loader = DataLoader(
            _Batches(self.maker),
            batch_size=None,
            sampler=_Plan(self.order, self.position, self.rank, self.world_size),
            num_workers=self.workers,
            prefetch_factor=8 if self.workers else None,
            worker_init_fn=_leave_signals_to_parent,
            # Otherwise it would use torch's global random state, and so affect dropout.
            generator=torch.Generator(),
        )
        for packed in loader:
            self._tell(packed)
            batch = _unpacked(packed)
            self.position = batch.after
            yield batch

    def _tell(self, packed: _Packed) -> None:
        """Raise `DataError` for bad items, or warn the first time."""
        fatal = [bad for bad in packed.bad if self.bad_items == "error" or not bad.skippable]
        if fatal or not packed.rows:
            first = [*fatal, *packed.bad][0]
            raise DataError(first.message, hint=first.hint)
        for bad in packed.bad:
            if not self.left_out[bad.message]:
                log.warning("left out: %s (%d so far)", bad.message, len(self.left_out) + 1)
            self.left_out[bad.message] += 1


def make_order(
    corpus: Corpus, config: DataConfig, *, seed: int, folders: Sequence[int] = ()
) -> BatchSampler:
    """The sampling order of a run. Without `shares` and `balance`, folders are weighted by size.

    `folders`: how many datasets each path of `data.train` stands for; empty: one.
    """
    sizes = [len(group) for group in corpus.groups]
    shares = shares_of(config.shares, folders or [1] * len(sizes), sizes)
    if shares and not any(
        share for share, group in zip(shares, corpus.groups, strict=True) if group
    ):
        raise DataError(
            f"data.shares {list(config.shares)} only selects folders that have no utterance left",
            hint="give another folder a share, or widen data.seconds",
        )
    return BatchSampler(
        utterances=EpochSamples(
            seconds=corpus.seconds,
            text=np.array([len(u.text) for u in corpus.utterances]) / corpus.info.frame_rate,
            speakers=np.array([u.speaker for u in corpus.utterances]),
        ),
        pools=pools_of(corpus, shares, config.balance),
        prompt_seconds=config.prompt_seconds,
        without_prompt=config.without_prompt,
        room=Room(config.batch_seconds, config.batch_size),
        seed=seed,
        arrangement=ARRANGEMENTS[config.order],
        lengthen=_lengthening(corpus, config),
    )


def _lengthening(
    corpus: Corpus, config: DataConfig
) -> Callable[[np.ndarray, np.random.Generator], Sequence[Addition]] | None:
    if not config.appended and not config.silence:
        return None
    lengthening = Lengthening(
        appended=config.appended,
        most=config.appended_utterances,
        longest=config.seconds[1],
        silence=config.silence,
        seconds=config.silence_seconds,
    )
    return partial(lengthening.of, corpus=corpus)


def _leave_signals_to_parent(worker: int) -> None:
    """Ctrl-C and SIGTERM often reach all processes of a run; the main process decides."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


@frozen(eq=False)
class _Planned:
    """The input of a loader process."""

    draws: Sequence[SampleSpec]
    after: Position


class _Plan(Sampler[_Planned]):
    """Of each `world_size` batches of the sequence, the one for this rank."""

    def __init__(self, order: BatchSampler, start: Position, rank: int, world_size: int) -> None:
        self.order, self.start, self.rank, self.world_size = order, start, rank, world_size

    def __iter__(self) -> Iterator[_Planned]:
        sequence = self.order.batches(self.start)
        while True:
            window = list(islice(sequence, self.world_size))
            position, _ = window[-1]
            after = Position(position.epoch, position.batch + 1)
            yield _Planned(window[self.rank][1], after)


class _Batches(Dataset[Any]):
    """Makes batches of arrays.

    A loader process would send each tensor through a file descriptor of its own, which is slow
    and soon uses up the descriptors.
    """

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def __getitem__(self, planned: _Planned) -> _Packed:
        made, bad = self._made(planned.draws)
        if bad and not made:  # the other ranks have a batch, so this rank needs one too
            made, more = self._first(self._others(planned.draws[0]))
            bad += more
        return _Packed(
            rows=[
                (e.level, [(segment.name, segment.ids.numpy()) for segment in e.segments])
                for _, e in made
            ],
            ids=[entry.id for entry, _ in made],
            seconds=sum(entry.seconds for entry, _ in made),
            after=planned.after,
            bad=bad,
        )

    def _made(self, draws: Sequence[SampleSpec]) -> tuple[list[tuple[Entry, Example]], list[_Bad]]:
        """Examples with their utterances, and the errors of those that failed."""
        made: list[tuple[Entry, Example]] = []
        bad: list[_Bad] = []
        for draw in draws:
            entry = self.maker.corpus.utterances[draw.utterance].entry
            try:
                made.append((entry, self.maker(draw)))
            except BadItemError as exc:  # reported by the main process, not by the loader process
                bad.append(_Bad(exc.message, exc.hint or ""))
            except VallEError as exc:
                said = f"{exc.message} (in a sample of {entry.id!r})"
                bad.append(_Bad(said, exc.hint or "", skippable=False))
            except Exception as exc:
                exc.add_note(f"in a sample of {entry.id!r}")
                raise
        return made, bad

    def _first(self, draws: Sequence[SampleSpec]) -> tuple[list[tuple[Entry, Example]], list[_Bad]]:
        """The first utterance whose example can be made."""
        found: list[_Bad] = []
        for draw in draws:
            made, bad = self._made([draw])
            found += bad
            if made:
                return made, found
        return [], found

    def _others(self, draw: SampleSpec) -> list[SampleSpec]:
        """A few replacements for an utterance, always the same."""
        rng, count = draw.rng(self.maker.seed), len(self.maker.corpus)
        places = rng.sample(range(count), min(count, STAND_INS))
        return [evolve(draw, utterance=place, addition=NOTHING) for place in places]


@frozen
class _Bad:
    """An error in an item used by a sample."""

    message: str
    hint: str
    skippable: bool = True


@frozen(eq=False)
class _Packed:
    rows: Sequence[tuple[int, Sequence[tuple[Any, Any]]]]
    ids: Sequence[str]
    seconds: float
    after: Position
    bad: Sequence[_Bad] = ()


def _unpacked(packed: _Packed) -> Batch:
    examples = [
        Example(tuple(Segment(name, torch.from_numpy(ids)) for name, ids in segments), level)
        for level, segments in packed.rows
    ]
    return Batch(examples, packed.ids, packed.seconds, packed.after)
