"""The language model: embeddings, a backbone, heads (VALL-E, https://arxiv.org/abs/2301.02111).

One module for both stages. An example of level 0 runs causally (AR); one of a later level sees
all frames at once where the backbone can look both ways (NAR).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vall_e.config.schema import ModelConfig
from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces import Backbone
from vall_e.model.embedding import Embedded, Embedding, Sizes
from vall_e.model.heads import Heads
from vall_e.model.loss import Losses, Scores, joined
from vall_e.model.sequence import Example


class Valle(nn.Module):
    """Predicts the codes of one RVQ level from text, a voice's prompt and the lower levels."""

    backbone: Backbone

    def __init__(self, config: ModelConfig, sizes: Sizes, backbone: Backbone) -> None:
        super().__init__()
        if "nar" in config.capabilities and sizes.levels < 2:
            raise ConfigError(
                "model.capabilities: nar needs a codec of two levels or more",
                hint="set model.capabilities: [ar]",
            )
        self.config = config
        self.sizes = sizes
        self.embedding = Embedding(config, sizes, backbone.d_model)
        self.backbone = backbone
        self.dropout = nn.Dropout(config.dropout)
        self.heads = Heads(config.heads, sizes, backbone.d_model)

    @property
    def stop(self) -> int:
        """The token of level 0 that ends an utterance."""
        return self.sizes.codebook_size

    @property
    def device(self) -> torch.device:
        return self.embedding.separator.device

    def require(self, capability: str) -> None:
        if capability not in self.config.capabilities:
            known = ", ".join(self.config.capabilities)
            raise CheckpointError(
                f"this model cannot do {capability}: it can do {known}",
                hint="take a model that was trained for it",
            )

    def hidden(self, examples: Sequence[Example]) -> tuple[Tensor, Embedded, Tensor]:
        """One pass over examples of one stage: states (b, t, d), the input, auxiliary loss."""
        causal = examples[0].level == 0
        embedded = self.embedding(list(examples))
        states, auxiliary = self.backbone(
            self.dropout(embedded.vectors),
            lengths=embedded.lengths,
            positions=embedded.positions,
            causal=causal or not self.backbone.bidirectional,
        )
        return states, embedded, auxiliary

    def logits(self, hidden: Float[Tensor, "*n d"], level: int) -> Float[Tensor, "*n v"]:
        logits: Tensor = self.heads(hidden, level)
        return logits

    def loss(self, examples: Sequence[Example], *, ignore_inputs: bool = True) -> Losses:
        """Cross entropy over the predicted tokens of a batch of mixed levels.

        With `ignore_inputs` false an AR example also predicts its own text, level and prompt (the
        latter where the prompt is embedded by one level, so that there is something to predict).
        """
        scores: list[Scores] = []
        auxiliary = torch.zeros((), device=self.device)
        for stage in ("ar", "nar"):
            rows = [e for e in examples if (e.level == 0) == (stage == "ar")]
            if not rows:
                continue
            self.require(stage)
            states, embedded, extra = self.hidden(rows)
            auxiliary = auxiliary + extra
            lengths = embedded.lengths.tolist()  # once a stage: it waits for the device
            scores += [
                self._score(stage, level, states, lengths, rows, ignore_inputs)
                for level in sorted({e.level for e in rows})
            ]
        return joined(scores, auxiliary)

    def _score(
        self,
        stage: str,
        level: int,
        states: Float[Tensor, "b t d"],
        lengths: list[int],
        rows: Sequence[Example],
        ignore_inputs: bool,
    ) -> Scores:
        """Only the positions that predict something go through the head."""
        hidden, targets = [], []
        for i, example in enumerate(rows):
            if example.level != level:
                continue
            frames = len(example.target)
            row = states[i, : lengths[i]]
            codes = example.target.ids[level].to(self.device)
            if stage == "nar":
                hidden.append(row[-frames:])
                targets.append(codes)
                continue
            stop = codes.new_tensor([self.stop])
            hidden.append(row[-frames - 1 :])
            targets.append(torch.cat([codes, stop]))
            if not ignore_inputs:
                inputs = self._inputs(example).to(self.device)
                hidden.append(row[: len(inputs) - 1][inputs[1:] >= 0])
                targets.append(inputs[1:][inputs[1:] >= 0])
        logits = self.logits(torch.cat(hidden), level)
        return Scores(stage, logits, torch.cat(targets))

    def _inputs(self, example: Example) -> Tensor:
        """What stands at each position before the target, -1 where there is nothing to predict.

        Text and level share the head of level 0; ids that it has no class for are left out.
        """
        gap = torch.tensor([-1])
        parts: list[Tensor] = []
        for segment in example.segments[:-1]:
            ids = segment.ids
            if segment.name == "prompt":
                summed = self.embedding.sums or self.embedding.whole_prompt
                ids = torch.full_like(ids[0], -1) if summed else ids[example.level]
            parts += [ids.cpu(), gap]
        joined_ids = torch.cat(parts)
        return joined_ids.masked_fill(joined_ids > self.stop, -1)


def build_valle(config: ModelConfig, sizes: Sizes) -> Valle:
    """The model of a config, freshly initialised from torch's current random state."""
    backbone = config.backbone.build(attention=config.attention.build())
    return Valle(config, sizes, backbone)
