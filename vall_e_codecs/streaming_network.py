"""Runs a network with limited past context piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor


class Piecewise:
    """The concatenated outputs of all pieces equal the output of the whole.

    An output depends on its own step and on `reach` steps before it: those are kept, and computed
    again. A step is `inputs` columns of input and `outputs` columns of output. Only the last piece
    may end within a step.
    """

    def __init__(
        self, network: Callable[[Tensor], Tensor], *, reach: int, inputs: int = 1, outputs: int = 1
    ) -> None:
        self._network = network
        self._kept_columns, self._inputs, self._outputs = reach * inputs, inputs, outputs
        self._kept: Tensor | None = None

    def __call__(self, new: Float[Tensor, "b c t"]) -> Float[Tensor, "b d u"]:
        known = new if self._kept is None else torch.cat([self._kept, new], dim=2)
        out = self._network(known)
        self._kept = known[:, :, -self._kept_columns :]
        columns = ceil(new.shape[2] / self._inputs) * self._outputs
        return out[:, :, out.shape[2] - columns :]
