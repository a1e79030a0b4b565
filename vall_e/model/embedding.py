"""Segments to vectors (VALL-E, https://arxiv.org/abs/2301.02111, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import cast

import torch
from attrs import Attribute, frozen
from attrs import field as attrs_field
from jaxtyping import Float, Int
from torch import Tensor, nn

from vall_e.config.model import ModelConfig
from vall_e.errors import CheckpointError
from vall_e.interfaces.task import Task
from vall_e.model.code_embedding import CodecTable, code_table
from vall_e.model.pattern_targets import PatternTargets
from vall_e.model.patterns import ABSENT
from vall_e.model.sequence import Example, Segment
from vall_e.model.token_dropout import TokenDropout

LENGTH_END = 10
"""The id after the last digit of a length."""


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


def _count(least: int) -> Callable[[object, Attribute[int], int], object]:
    """A validator for sizes, which may come from a damaged file."""

    def check(_: object, attribute: Attribute[int], value: int) -> None:
        if type(value) is not int or value < least:
            raise ValueError(f"{attribute.name!r} must be a whole number >= {least}: {value!r}")

    return check


@frozen
class ModelSizes:
    """Sizes that depend on codec, vocabulary, languages and tasks."""

    levels: int = attrs_field(validator=_count(1))
    codebook_size: int = attrs_field(validator=_count(1))
    vocabulary: int = attrs_field(validator=_count(1))
    languages: int = attrs_field(default=1, validator=_count(1))
    markers: tuple[str, ...] = attrs_field(default=(), converter=_names)
    """Names of learned vectors that tasks put into their sequences."""
    writes_text: bool = False
    """A task predicts text."""
    code_width: int = attrs_field(default=0, validator=_count(0))
    """Width of the codec's code vectors, if the model uses them."""
    length_classes: int = attrs_field(default=11, validator=_count(11))
    """Size of the output layer for lengths (capability `len`): ten digits and an end. Models of
    e-c-k-e-r/vall-e had more classes, which are unused."""
    masked_classes: int = attrs_field(default=0, validator=_count(0))
    """Size of the output layer for masked frames; 0: one class per code. Theirs had one more."""

    @classmethod
    def of(
        cls, *, levels: int, codebook_size: int, vocabulary: int, languages: int,
        tasks: Iterable[Task], code_width: int = 0,
    ) -> ModelSizes:  # fmt: skip
        """Of a model that is to learn these tasks."""
        tasks = list(tasks)
        return cls(
            levels=levels,
            codebook_size=codebook_size,
            vocabulary=vocabulary,
            languages=languages,
            markers=tuple(sorted({marker for task in tasks for marker in task.markers})),
            writes_text=any(task.target == "text" for task in tasks),
            code_width=code_width,
        )


@frozen(eq=False)
class Embedded:
    """A batch of embedded sequences, padded on the right."""

    vectors: Float[Tensor, "b t d"]
    positions: Int[Tensor, "b t"]
    lengths: Int[Tensor, " b"]


class Embedding(nn.Module):
    """One table for each kind of segment, and one for each level of prompt and response.

    The response has `levels` tables: table 0 is level 0 as the AR stage reads it, table i + 1 is
    level i as the NAR stage reads it. The two stages use level 0 differently: one continues it, the
    other refines it. With the capability `len`, a table `masked` embeds level 0 with some frames
    masked (its last row), and `length` the digits of a number. `separator` stands between segments.
    """

    def __init__(self, config: ModelConfig, sizes: ModelSizes, d_model: int) -> None:
        super().__init__()
        self.sums = config.embedding_sums
        self.summed = config.summed
        self.legacy = config.legacy_sums
        self.patterned = config.pattern != "none"
        self.whole_prompt = config.prompt_levels == "all" or self.patterned
        self.restart = config.positions == "segment"
        self.text_stride = config.text_stride
        shape = (sizes.codebook_size, sizes.code_width, d_model)
        code_tables = [code_table(config.code_vectors, *shape) for _ in range(sizes.levels)]
        self.text = nn.Embedding(sizes.vocabulary, d_model)
        self.language = nn.Embedding(sizes.languages, d_model)
        self.level = nn.Embedding(sizes.levels, d_model)
        self.prompt = nn.ModuleList(code_tables)
        self.response = nn.ModuleList(
            code_table(config.code_vectors, *shape) for _ in range(sizes.levels)
        )
        self.group = nn.ModuleList(
            nn.Embedding(sizes.codebook_size, d_model) for _ in range(config.group_size - 1)
        )
        self.markers = nn.ModuleDict({name: nn.Embedding(1, d_model) for name in sizes.markers})
        if "len" in config.capabilities:
            self.masked = nn.Embedding(sizes.codebook_size + 1, d_model)
            self.length = nn.Embedding(LENGTH_END + 1, d_model)
        self.separator = nn.Parameter(torch.empty(d_model))
        self.token_dropout = TokenDropout(
            config.token_dropout, config.token_dropout_levels, d_model
        )
        for table in self.parameters():
            # Small compared with the residual stream's growth, so that learned values soon
            # outweigh the random initialization.
            nn.init.normal_(table, std=0.1)

    def forward(self, examples: list[Example]) -> Embedded:
        """One lookup per table for all rows: many small kernel launches would slow a GPU down."""
        lengths = torch.tensor([len(example) for example in examples])
        width = int(lengths.max())
        vectors = self.separator.new_zeros(len(examples) * width, len(self.separator))
        for table, (ids, places) in self._lookups(examples, width).items():
            vectors.index_add_(0, self._moved(places), table(self._moved(ids)))
        self._mix(vectors, examples, width)
        gaps = [row * width + gap for row, e in enumerate(examples) for gap in _gaps(e)]
        vectors[self._moved([torch.tensor(gaps, dtype=torch.long)])] = self.separator
        positions = [self.positions(example) for example in examples]
        padded = nn.utils.rnn.pad_sequence(positions, batch_first=True)
        return Embedded(
            vectors=self.token_dropout(vectors.view(len(examples), width, -1), examples),
            positions=self._moved([padded]),
            lengths=self._moved([lengths]),
        )

    def take_code_vectors(self, vectors: Float[Tensor, "k v c"]) -> None:
        """Fill the tables with the codec's vectors, for a new model with `code_vectors`."""
        levels = range(len(vectors))
        response = levels if self.patterned else [0, *levels[:-1]]
        for tables, of in ((self.prompt, levels), (self.response, response)):
            for table, level in zip(tables, of, strict=True):
                cast("CodecTable", table).fill(vectors[level])

    def positions(self, example: Example) -> Int[Tensor, " t"]:
        """Restarting in each segment (a separator ends the segment before it), or continuous."""
        if not self.restart:
            return torch.arange(len(example))
        last = len(example.segments) - 1
        return torch.cat(
            [self._within(s, len(s) + (i < last)) for i, s in enumerate(example.segments)]
        )

    def _within(self, segment: Segment, size: int) -> Int[Tensor, " t"]:
        """The positions of a segment and of the separator after it, if there is one."""
        if isinstance(segment, PatternTargets):
            return segment.positions
        return torch.arange(size) * (self.text_stride if segment.name in ("text", "read") else 1)

    def response_codes(self, codes: Int[Tensor, "n f"], level: int) -> Float[Tensor, "f d"]:
        """The vectors of some response frames, as input for predicting `level`."""
        vectors = [table(ids) for table, ids in self._response(codes, level)]
        return torch.stack(vectors).sum(0)

    def step(self, tokens: Int[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        """The vectors of steps: the sum over their slots, without those that are absent."""
        vectors = [
            table(ids.clamp(min=0)) * (ids != ABSENT)[:, None]
            for table, ids in self._slots(tokens.T)
        ]
        return torch.stack(vectors).sum(0)

    def _lookups(
        self, examples: list[Example], width: int
    ) -> dict[nn.Module, tuple[list[Tensor], list[Tensor]]]:
        """For each table the ids to look up, and their places in the flattened batch."""
        lookups: dict[nn.Module, tuple[list[Tensor], list[Tensor]]] = {}
        for row, example in enumerate(examples):
            start = row * width
            for segment in example.segments:
                place = torch.arange(start, start + len(segment))
                for table, ids in self._reads(segment, example.level):
                    known_ids, places = lookups.setdefault(table, ([], []))
                    held = ids.cpu()
                    there = held != ABSENT if isinstance(segment, PatternTargets) else slice(None)
                    known_ids.append(held[there])
                    places.append(place[there])
                start += len(segment) + 1
        return lookups

    def _mix(self, vectors: Tensor, examples: list[Example], width: int) -> None:
        """Insert the means where segments are mixtures of several."""
        for row, example in enumerate(examples):
            start = row * width
            for segment in example.segments:
                if segment.mix:
                    parts = [
                        weight * table(self._moved([ids]))
                        for codes, weight in segment.mix
                        for table, ids in self._reads(Segment(segment.name, codes), example.level)
                    ]
                    vectors[start : start + len(segment)] = torch.stack(parts).sum(0)
                start += len(segment) + 1

    def _moved(self, parts: list[Tensor]) -> Tensor:
        """The parts concatenated on the model's device, without synchronizing."""
        return torch.cat(parts).to(self.separator.device, non_blocking=True)

    def _reads(self, segment: Segment, level: int) -> list[tuple[nn.Module, Tensor]]:
        """The tables that embed a segment, each with its ids; their vectors are summed."""
        ids = segment.ids
        if isinstance(segment, PatternTargets):
            return self._slots(ids)
        if segment.name in ("prompt", "input"):
            if self.whole_prompt:
                return _codes(self.prompt, ids, total=True)
            total = self.sums and self.summed != "response"
            return self._known(self.prompt, ids[: max(level, 1)], total=total)
        if segment.name == "response":
            return self._response(ids, level)
        if segment.name == "masked":
            return [(self.masked, ids[0])]
        if segment.name == "length":
            return [(self.length, ids)]
        tables = {
            "text": self.text,
            "read": self.text,
            "language": self.language,
            "level": self.level,
        }
        return [(tables.get(segment.name) or self._marker(segment.name), ids)]

    def _slots(self, steps: Int[Tensor, "m s"]) -> list[tuple[nn.Module, Tensor]]:
        """A table for each slot; a model that predicts one code a step has only the first."""
        tables = [self.response[0], *self.group] if len(self.group) else list(self.response)
        return list(zip(tables[: len(steps)], steps, strict=True))

    def _marker(self, name: str) -> nn.Module:
        if name not in self.markers:
            raise CheckpointError(
                f"this model has no vector for {name!r}: it was not trained on a task with it",
                hint="train it with the task listed under `tasks`",
            )
        return self.markers[name]

    def _response(self, codes: Int[Tensor, "n f"], level: int) -> list[tuple[nn.Module, Tensor]]:
        """The levels before `level`; for level 0 the frames generated so far."""
        if level == 0:
            return _codes(self.response, codes[:1], total=False)
        total = self.sums and self.summed != "prompt"
        return self._known(self.response[1:], codes[:level], total=total)

    def _known(
        self, tables: Iterable[nn.Module], codes: Int[Tensor, "n f"], *, total: bool
    ) -> list[tuple[nn.Module, Tensor]]:
        """The known levels, embedded as the config says."""
        summed = codes[:-1] if total and self.legacy and len(codes) > 1 else codes
        return _codes(tables, summed, total=total)


def _codes(
    tables: Iterable[nn.Module], codes: Int[Tensor, "n f"], *, total: bool
) -> list[tuple[nn.Module, Tensor]]:
    """Each level by its table, or the newest level alone."""
    reads = list(zip(tables, codes, strict=False))
    return reads if total else reads[-1:]


def _gaps(example: Example) -> list[int]:
    """The positions of the separators."""
    ends = accumulate(len(segment) + 1 for segment in example.segments[:-1])
    return [end - 1 for end in ends]
