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
"""The token of a row whose model gives no probabilities: neither a code nor the stop token."""


def unusable() -> CheckpointError:
    """The error for a row where `UNUSABLE` was drawn."""
    return CheckpointError(
        "the model gives no usable probabilities for the next token (NaN or all zero)",
        hint="try fp32 weights; if it persists, the weights are damaged",
    )


class Chain:
    """Logits processors in order, then a draw; itself a `Draw`.

    Samplers may keep state, so a chain serves one decoding and is then discarded. A row without
    usable probabilities gets the token `UNUSABLE`: to raise at once, each draw would have to wait
    for the device. Whoever reads the tokens on the host raises the error that `unusable` gives.
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

        `before`: processors that run before the samplers of the YAML file.
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
                    hint=f"move {name} to the end of {where}, or remove it",
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
        """Draw each row's next token, or `UNUSABLE`. Does not wait for the device."""
        logits = self._processed(history, logits)
        usable = _usable(logits)
        logits = logits.where(usable[:, None], 0.0)  # a draw may fail on NaN
        if self.last is None:
            tokens = draw_categorical(logits, generators)
        else:
            tokens = self.last.draw(history, logits, generators)
        return tokens.where(usable, UNUSABLE)

    def shaped(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        """The processed logits. Waits for the device, to check that they are numbers."""
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

    @property
    def stateful(self) -> tuple[str, ...]:
        """Names of the samplers that keep state from one draw to the next."""
        return tuple(self._stateful)

    def select(self, rows: Int[Tensor, " r"]) -> None:
        """Keep only these rows in the samplers that keep state."""
        for sampler in self._stateful.values():
            sampler.select(rows)


def _usable(logits: Float[Tensor, "b v"]) -> Bool[Tensor, " b"]:
    return logits.amax(-1).isfinite()
