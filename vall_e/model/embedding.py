"""Segments to vectors (VALL-E, https://arxiv.org/abs/2301.02111, section 4.2)."""

from __future__ import annotations

import torch
from attrs import field as attrs_field
from attrs import frozen, validators
from jaxtyping import Float, Int
from torch import Tensor, nn

from vall_e.config.schema import ModelConfig
from vall_e.model.sequence import Example, Segment

_positive = validators.gt(0)


@frozen
class Sizes:
    """Sizes that codec, vocabulary and languages decide."""

    levels: int = attrs_field(validator=_positive)
    codebook_size: int = attrs_field(validator=_positive)
    vocabulary: int = attrs_field(validator=_positive)
    languages: int = attrs_field(default=1, validator=_positive)


@frozen(eq=False)
class Embedded:
    """A batch of embedded sequences, padded on the right."""

    vectors: Float[Tensor, "b t d"]
    positions: Int[Tensor, "b t"]
    lengths: Int[Tensor, " b"]


class Embedding(nn.Module):
    """One table for each kind of segment, and one for each level of prompt and response.

    The response has `levels` tables: table 0 is level 0 as the AR stage reads it, table i + 1 is
    level i as the NAR stage reads it. The two stages differ in what they make of level 0: the
    one continues it, the other refines it. `separator` stands between segments.
    """

    def __init__(self, config: ModelConfig, sizes: Sizes, d_model: int) -> None:
        super().__init__()
        self.sums = config.embedding_sums
        self.whole_prompt = config.prompt_levels == "all"
        self.restart = config.positions == "segment"
        self.text_stride = config.text_stride
        code_tables = [nn.Embedding(sizes.codebook_size, d_model) for _ in range(sizes.levels)]
        self.text = nn.Embedding(sizes.vocabulary, d_model)
        self.language = nn.Embedding(sizes.languages, d_model)
        self.level = nn.Embedding(sizes.levels, d_model)
        self.prompt = nn.ModuleList(code_tables)
        self.response = nn.ModuleList(
            nn.Embedding(sizes.codebook_size, d_model) for _ in range(sizes.levels)
        )
        self.separator = nn.Parameter(torch.empty(d_model))
        for table in self.parameters():
            # Small against the residual stream's growth, so that what is learned soon outweighs
            # what was drawn.
            nn.init.normal_(table, std=0.1)

    def forward(self, examples: list[Example]) -> Embedded:
        rows = [self.sequence(example) for example in examples]
        lengths = torch.tensor([len(row) for row in rows], device=self.separator.device)
        positions = [self.positions(example) for example in examples]
        pad = nn.utils.rnn.pad_sequence
        return Embedded(
            vectors=pad(rows, batch_first=True),
            positions=pad(positions, batch_first=True).to(self.separator.device),
            lengths=lengths,
        )

    def sequence(self, example: Example) -> Float[Tensor, "t d"]:
        """The segments of one example, with separators between them."""
        parts: list[Tensor] = []
        for segment in example.segments:
            if parts:
                parts.append(self.separator[None])
            parts.append(self.segment(segment, example.level))
        return torch.cat(parts)

    def positions(self, example: Example) -> Int[Tensor, " t"]:
        """Restarting in each segment (a separator ends the segment before it), or running on."""
        last = len(example.segments) - 1
        sizes = [len(s) + (i < last) for i, s in enumerate(example.segments)]
        if not self.restart:
            return torch.arange(sum(sizes))
        strides = [self.text_stride if s.name == "text" else 1 for s in example.segments]
        return torch.cat([torch.arange(n) * by for n, by in zip(sizes, strides, strict=True)])

    def segment(self, segment: Segment, level: int) -> Float[Tensor, "n d"]:
        ids = segment.ids.to(self.separator.device)
        if segment.name == "prompt":
            known = len(ids) if self.whole_prompt else max(level, 1)
            return self._codes(self.prompt, ids[:known], total=self.sums or self.whole_prompt)
        if segment.name == "response":
            return self.response_codes(ids, level)
        table = {"text": self.text, "language": self.language, "level": self.level}[segment.name]
        vectors: Tensor = table(ids)
        return vectors

    def response_codes(self, codes: Int[Tensor, "n f"], level: int) -> Float[Tensor, "f d"]:
        """The levels before `level`; for level 0 the frames drawn so far."""
        if level == 0:
            return self._codes(self.response, codes[:1], total=False)
        return self._codes(self.response[1:], codes[:level], total=self.sums)

    def _codes(
        self, tables: nn.ModuleList, codes: Int[Tensor, "n f"], *, total: bool
    ) -> Float[Tensor, "f d"]:
        if not total:
            newest = len(codes) - 1
            vectors: Tensor = tables[newest](codes[newest])
            return vectors
        stacked = [table(row) for table, row in zip(tables, codes, strict=False)]
        return torch.stack(stacked).sum(0)
