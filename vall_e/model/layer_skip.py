"""LayerSkip in training: layers that samples skip, and losses at early exits.

Elhoushi et al. 2024, https://arxiv.org/abs/2404.16710, section 4.1. Layers are counted from 0, a
model has L of them, the run has T steps; an exit is named by the number of layers before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from attrs import frozen
from jaxtyping import Float
from torch import Tensor

from vall_e.config.layer_skip import LayerSkipConfig
from vall_e.errors import ConfigError
from vall_e.interfaces.backbone import Backbone, Layered
from vall_e.model.embedding import Embedded
from vall_e.model.lora import Predicting


@frozen
class Skipping:
    """What one training step skips, and which exits it trains."""

    dropout: tuple[float, ...]
    """For each layer, the probability that a sample skips it."""
    shares: Mapping[int, float]
    """The loss weight of each exit. The weights sum to 1; the exit after all layers has one."""


@frozen
class LayerSkip:
    """Makes a `Skipping` of each step of a run."""

    config: LayerSkipConfig
    depth: int
    max_steps: int

    def at(self, step: int) -> Skipping:
        """Step 0 is the first."""
        growth = 1.0
        if self.config.growth == "exponential":
            growth = _rise(step, self.max_steps)
        highest = self.config.dropout * growth
        return Skipping(
            dropout=tuple(highest * _rise(layer, self.depth) for layer in range(self.depth)),
            shares=self._shares(step),
        )

    def _shares(self, step: int) -> dict[int, float]:
        """As in the paper, except that the last layer has a loss in every step."""
        layers = [*filter(lambda layer: self._trains(layer, step), range(self.depth - 1))]
        weights = {layer + 1: self._weight(layer) for layer in [*layers, self.depth - 1]}
        total = sum(weights.values())
        return {exit_: weight / total for exit_, weight in weights.items() if weight}

    def _trains(self, layer: int, step: int) -> bool:
        """Whether the curriculum has a loss after this layer in this step."""
        if self.config.exits == "rotational":
            return layer % self.config.every == step % self.config.every
        if self.config.exits == "gradual":
            return layer >= self.depth - 1 - step * 2 * self.depth // self.max_steps
        return True

    def _weight(self, layer: int) -> float:
        """Later layers have more weight: the sum of the numbers up to its own."""
        last = self.depth - 1
        if layer < last:
            return self.config.exit_scale * layer * (layer + 1) / 2
        return last + self.config.exit_scale * (last - 1) * last / 2


def layer_skip_of(
    config: LayerSkipConfig, backbone: Backbone, *, name: str, max_steps: int
) -> LayerSkip | None:
    """None if the config skips nothing; `ConfigError` if the backbone `name` cannot skip layers."""
    if not config.dropout and not config.exit_scale:
        return None
    depth = layered(backbone, name=name, option="training.layer_skip").depth
    if depth < 2:
        raise ConfigError(
            f"training.layer_skip: {name} has only one layer, so none can be skipped",
            hint="set model.backbone.layers to 2 or more",
        )
    return LayerSkip(config, depth, max_steps)


def layered(backbone: Backbone, *, name: str, option: str) -> Layered:
    """The backbone, if its layers run one by one; otherwise `ConfigError` naming the option."""
    if not isinstance(backbone, Layered):
        raise ConfigError(
            f"{option}: the backbone {name} cannot run its layers one by one",
            hint="use one that can, such as model.backbone: llama, or remove the option",
        )
    return cast("Layered", backbone)


def skipped_pass(
    backbone: Layered,
    skipping: Skipping,
    embedded: Embedded,
    vectors: Float[Tensor, "b t d"],
    *,
    causal: bool,
    predicting: Predicting,
    levels: Sequence[int],
) -> tuple[dict[int, Float[Tensor, "b t d"]], Float[Tensor, ""]]:
    """The states at the exits, and the auxiliary loss. Skipped rows are drawn on the CPU."""
    x, auxiliary = vectors, vectors.new_zeros(())
    states: dict[int, Tensor] = {}
    for layer, chance in enumerate(skipping.dropout):
        rows = _kept(len(x), chance)
        if len(rows):
            index = rows.to(x.device)
            with predicting([levels[row] for row in rows.tolist()]):
                ran, extra = backbone.span(
                    x[index],
                    first=layer,
                    last=layer + 1,
                    lengths=embedded.lengths[index],
                    positions=embedded.positions[index],
                    causal=causal,
                )
            x = ran if len(rows) == len(x) else x.to(ran.dtype).index_copy(0, index, ran)
            auxiliary = auxiliary + extra
        if layer + 1 in skipping.shares:
            states[layer + 1] = backbone.exit(x)
    return states, auxiliary


def _kept(rows: int, chance: float) -> Tensor:
    """The rows that do not skip, at random."""
    if not chance:
        return torch.arange(rows)
    return (torch.rand(rows) >= chance).nonzero()[:, 0]


def _rise(place: int, count: int) -> float:
    """Exponentially from 0 at the first of `count` places to 1 at the last."""
    return 2 ** (place / (count - 1)) - 1 if count > 1 else 1.0
