"""The language model: embeddings, a backbone, heads (VALL-E, https://arxiv.org/abs/2301.02111).

One module for both stages. An example of level 0 runs causally (AR); one of a later level sees
all frames at once if the backbone is bidirectional (NAR).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import torch
from attrs import evolve
from jaxtyping import Float
from torch import Tensor, nn

from vall_e.config.model import ModelConfig
from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces.backbone import Backbone
from vall_e.model.embedding import Embedded, Embedding, ModelSizes
from vall_e.model.heads import Heads
from vall_e.model.last_positions import ends, states_at
from vall_e.model.layer_skip import Skipping, layered, skipped_pass
from vall_e.model.lora import Predicting
from vall_e.model.loss import Losses, Scores, joined
from vall_e.model.pattern_targets import laid_out
from vall_e.model.patterns import pattern_of
from vall_e.model.sequence import CAPABILITY, Example
from vall_e.model.targets import HeadTargets, Targets, heads_of

logger = logging.getLogger(__name__)


class Valle(nn.Module):
    """Predicts the codes of one RVQ level from text, a voice's prompt and the lower levels."""

    backbone: Backbone

    def __init__(self, config: ModelConfig, sizes: ModelSizes, backbone: Backbone) -> None:
        super().__init__()
        if "nar" in config.capabilities and sizes.levels < 2:
            raise ConfigError(
                "model.capabilities: nar needs a codec with two or more levels",
                hint="set model.capabilities: [ar]",
            )
        if _looks_back_only(config, backbone):
            logger.warning(
                "the backbone %s is not bidirectional: nar sees the frames before, not those "
                "after (set model.nar_attention: causal if this is intended)",
                config.backbone.name,
            )
        self.config = config
        self.sizes = sizes
        self.embedding = Embedding(config, sizes, backbone.d_model)
        self.backbone = backbone
        self.dropout = nn.Dropout(config.dropout)
        self.predicting = Predicting()
        self.heads = Heads(
            config.heads,
            sizes,
            backbone.d_model,
            bias=config.head_bias,
            length="len" in config.capabilities,
            group_size=config.group_size,
        )
        self.pattern = pattern_of(config, sizes.levels)
        embeds_sums = self.embedding.sums and self.embedding.summed != "response"
        self.targets = Targets(
            stop=self.stop,
            length_classes=sizes.length_classes,
            ahead=config.ahead,
            predicts_prompt=not (embeds_sums or self.embedding.whole_prompt),
        )

    @property
    def stop(self) -> int:
        """The token of level 0 that ends an utterance."""
        return self.sizes.codebook_size

    @property
    def stepwise(self) -> bool:
        """Whether the AR stage generates more than level 0 frame by frame."""
        return len(self.pattern.levels) > 1

    @property
    def ar_levels(self) -> int:
        """Levels that the AR stage generates."""
        return max(self.pattern.levels) + 1

    @property
    def device(self) -> torch.device:
        return self.embedding.separator.device

    def require(self, capability: str) -> None:
        if capability not in self.config.capabilities:
            known = ", ".join(self.config.capabilities)
            raise CheckpointError(
                f"this model was not trained for {capability}, only for {known}",
                hint="use a model that was trained for it",
            )

    def hidden(self, examples: Sequence[Example]) -> tuple[Tensor, Embedded, Tensor]:
        """One pass over examples of one stage: states (b, t, d), the input, auxiliary loss."""
        examples = [self.laid_out(example) for example in examples]
        embedded = self.embedding(list(examples))
        with self.predicting([e.level for e in examples]):
            states, auxiliary = self.backbone(
                self.dropout(embedded.vectors),
                lengths=embedded.lengths,
                positions=embedded.positions,
                causal=self._causal(examples),
            )
        return states, embedded, auxiliary

    def last_states(self, examples: Sequence[Example], count: int) -> Float[Tensor, "b n d"]:
        """As `hidden`, but only the states of each example's last `count` positions.

        If an example has fewer, its first one is repeated.
        """
        examples = [self.laid_out(example) for example in examples]
        embedded = self.embedding(list(examples))
        dropped = evolve(embedded, vectors=self.dropout(embedded.vectors))
        with self.predicting([e.level for e in examples]):
            return states_at(
                self.backbone,
                dropped,
                ends(embedded, count),
                causal=self._causal(examples),
            )

    def exits(
        self, examples: Sequence[Example], skipping: Skipping
    ) -> tuple[dict[int, Tensor], Tensor]:
        """As `hidden`, for a training step with LayerSkip: states by exit, auxiliary loss."""
        embedded = self.embedding(list(examples))
        name = self.config.backbone.name
        return skipped_pass(
            layered(self.backbone, name=name, option="training.layer_skip"),
            skipping,
            embedded,
            self.dropout(embedded.vectors),
            causal=self._causal(examples),
            predicting=self.predicting,
            levels=[e.level for e in examples],
        )

    def _causal(self, examples: Sequence[Example]) -> bool:
        """Whether positions of these examples, all of one stage, cannot see later ones."""
        full = examples[0].parallel and self.config.nar_attention == "full"
        return not (full and self.backbone.bidirectional)

    def laid_out(self, example: Example, *, cut: float = 0.0) -> Example:
        """The example as the backbone reads it: for the AR stage with its response as steps."""
        steps = self.stepwise and example.level == 0 and example.target.name == "response"
        return laid_out(example, self.pattern, self.stop, cut=cut) if steps else example

    def predicted(self, example: Example) -> int:
        """Number of tokens of a complete example that are predicted."""
        return self.targets.count(self.laid_out(example))

    def logits(self, hidden: Float[Tensor, "*n d"], level: int) -> Float[Tensor, "*n v"]:
        logits: Tensor = self.heads(hidden, level)
        return logits

    def slot_logits(self, hidden: Float[Tensor, "*n d"], slot: int) -> Float[Tensor, "*n v"]:
        """Over the codes of a slot of the next step; slot 0 is level 0."""
        logits: Tensor = self.heads.slot(hidden, slot)
        return logits

    def text_logits(self, hidden: Float[Tensor, "*n d"]) -> Float[Tensor, "*n v"]:
        """Over the phonemes, for a task that predicts them."""
        logits: Tensor = self.heads.text(hidden)
        return logits

    def masked_logits(self, hidden: Float[Tensor, "*n d"]) -> Float[Tensor, "*n v"]:
        """Over the codes of level 0, for masked frames."""
        return self.heads.of_masked(hidden)

    def length_logits(self, hidden: Float[Tensor, "*n d"]) -> Float[Tensor, "*n v"]:
        """Over the digits of a length and its end."""
        return self.heads.of_length(hidden)

    def loss(
        self,
        examples: Sequence[Example],
        *,
        ignore_inputs: bool = True,
        factors: Mapping[str, float] | None = None,
        skipping: Skipping | None = None,
    ) -> Losses:
        """Cross entropy over the predicted tokens of a batch of mixed levels.

        With `skipping`, samples skip layers, and early exits have losses too. With `ignore_inputs`
        false, an example also predicts its own text, level and prompt (the prompt only if it is
        embedded by one level, so that there is something to predict). `factors`, by kinds of
        segments, imply this too: see `joined`.
        """
        ignore_inputs = ignore_inputs and not factors
        cut = self.config.partial_groups if self.training else 0.0
        examples = [self.laid_out(example, cut=cut) for example in examples]
        scores: list[Scores] = []
        auxiliary = torch.zeros((), device=self.device)
        for parallel in (False, True):
            rows = [e for e in examples if e.parallel == parallel]
            if not rows:
                continue
            for capability in sorted({CAPABILITY[e.stage] for e in rows}):
                self.require(capability)
            # Moved before the pass, so that the device does not synchronize after it.
            targets = [
                self.targets.of_head(
                    rows, head, ignore_inputs=ignore_inputs, kinds=bool(factors)
                ).to(self.device)
                for head in heads_of(rows)
            ]
            states, extra = self._states(rows, skipping)
            auxiliary = auxiliary + extra
            for exit_, share, flat in states:
                # Only the positions that predict something go through a head.
                scores += [self._scores(flat, target, share, exit_) for target in targets]
        return joined(scores, auxiliary, factors)

    def _states(
        self, rows: Sequence[Example], skipping: Skipping | None
    ) -> tuple[list[tuple[int | None, float, Float[Tensor, "n d"]]], Tensor]:
        """The states of all positions, by exit (None: the last) and weight; auxiliary loss."""
        if skipping is None:
            states, _, auxiliary = self.hidden(rows)
            return [(None, 1.0, states.flatten(0, 1))], auxiliary
        exits, auxiliary = self.exits(rows, skipping)
        last = len(skipping.dropout)
        return [
            (None if number == last else number, skipping.shares[number], states.flatten(0, 1))
            for number, states in exits.items()
        ], auxiliary

    def _scores(
        self, states: Float[Tensor, "n d"], target: HeadTargets, share: float, exit_: int | None
    ) -> Scores:
        logits = self._logits(states[target.places], *target.head)
        return Scores(target.head[0], logits, target.ids, share, exit_, target.kinds)

    def _logits(self, hidden: Float[Tensor, "n d"], stage: str, number: int) -> Tensor:
        others = {
            "text": self.text_logits, "masked": self.masked_logits, "length": self.length_logits,
        }  # fmt: skip
        if stage in others:
            return others[stage](hidden)
        of = self.slot_logits if stage == "ar" else self.logits
        return of(hidden, number)


def _looks_back_only(config: ModelConfig, backbone: Backbone) -> bool:
    """Whether the NAR stage runs causally although this was not configured."""
    full = "nar" in config.capabilities and config.nar_attention == "full"
    return full and not backbone.bidirectional


def build_valle(config: ModelConfig, sizes: ModelSizes) -> Valle:
    """The model of a config, initialized from torch's current random state."""
    backbone = config.backbone.build(attention=config.attention.build())
    return Valle(config, sizes, backbone)
