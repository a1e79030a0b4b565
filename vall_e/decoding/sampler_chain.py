"""A chain of samplers: what a list in the YAML file under `sampling` becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from vall_e.categorical import draw_categorical
from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces.sampling import Draw, LogitsProcessor, Sampler, Stateful

if TYPE_CHECKING:
    from vall_e.config.choices import SamplerChoice

UNUSABLE = -1
"""Drawn where a model gives no probabilities to draw from. No code, and not the stop token."""


def unusable() -> CheckpointError:
    """What is wrong where `UNUSABLE` was drawn."""
    return CheckpointError(
        "the model gives no usable probabilities for the next token (NaN or all zero)",
        hint="try fp32 weights; if it persists, the weights are damaged",
    )


class Chain:
    """Logits processors in order, then a draw; itself a `Draw`.

    Samplers may keep state, so a chain serves one decoding and is then thrown away. A row whose
    probabilities are no use gets `UNUSABLE` for a token: to be told at once, each draw would have
    to wait for the device. Who reads the tokens on the host raises what `unusable` gives.
    """

    def __init__(
        self,
        samplers: Sequence[Sampler],
        *,
        names: Sequence[str] | None = None,
        where: str = "sampling",
        before: Sequence[LogitsProcessor] = (),
    ) -> None:
        """`names` and `where` are for messages: a sampler's name in the YAML, and its path.

        `before`: what comes before the samplers, and is none of the user's.
        """
        self.where = where
        names = names or [type(sampler).__name__ for sampler in samplers]
        self._stateful: dict[str, Stateful] = {}
        self.processors: list[LogitsProcessor] = list(before)
        for first in before:
            if isinstance(first, Stateful):
                self._stateful[type(first).__name__] = first
        self.last: Draw | None = None  # draws from the distribution as it is
        self.last_name = ""
        for index, (name, sampler) in enumerate(zip(names, samplers, strict=True)):
            if isinstance(sampler, Stateful):
                self._stateful[f"{name} ({index + 1})"] = sampler
            if not isinstance(sampler, Draw):
                self.processors.append(sampler)
            elif index < len(samplers) - 1:
                raise ConfigError(
                    f"{where}[{index}]: {name} draws a token, so nothing can follow it",
                    hint=f"move {name} to the end of {where}, or take it out",
                )
            else:
                self.last, self.last_name = sampler, name

    @classmethod
    def of(
        cls,
        choices: Sequence[SamplerChoice],
        *,
        where: str,
        before: Sequence[LogitsProcessor] = (),
    ) -> Chain:
        """Build the components of one list of the YAML file; `where` is its path there."""
        names = [choice.component.name for choice in choices]
        samplers = [choice.build() for choice in choices]
        return cls(samplers, names=names, where=where, before=before)

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        """Draw each row's next token, or `UNUSABLE`. Waits for nothing."""
        logits = self._processed(history, logits)
        usable = _usable(logits)
        logits = logits.where(usable[:, None], 0.0)  # a draw may fail on what is no number
        if self.last is None:
            tokens = draw_categorical(logits, generators)
        else:
            tokens = self.last.draw(history, logits, generators)
        return tokens.where(usable, UNUSABLE)

    def shaped(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        """What is drawn from. Waits for the device, to see that the logits are numbers."""
        logits = self._processed(history, logits)
        if not bool(_usable(logits).all()):
            raise unusable()
        return logits

    def _processed(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        for processor in self.processors:
            logits = processor(history, logits)
        return logits

    def require_no_chance(self) -> None:
        """Where the likeliest is searched for, `greedy` may stand, and no other draw."""
        if self.last is not None and self.last_name != "greedy":
            raise ConfigError(
                f"{self.where}: {self.last_name} draws, and a search (sampling.beams) does not",
                hint=f"end {self.where} with greedy, or set sampling.beams: 1",
            )

    def require_no_state(self) -> None:
        """Where rows are the frames of a level, nothing goes on from one draw to the next."""
        if self._stateful:
            raise ConfigError(
                f"{self.where}: {', '.join(self._stateful)} goes on from frame to frame, and here "
                "all frames are drawn at once",
                hint=f"take it out of {self.where}; it serves sampling.ar",
            )

    def select(self, rows: Int[Tensor, " r"]) -> None:
        """Tell the samplers that keep state which rows stay."""
        for sampler in self._stateful.values():
            sampler.select(rows)


def _usable(logits: Float[Tensor, "b v"]) -> Bool[Tensor, " b"]:
    return logits.amax(-1).isfinite()
