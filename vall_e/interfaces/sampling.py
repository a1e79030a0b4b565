"""What decoding asks of a sampler. Torch-free; sizes: `vall_e.interfaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from jaxtyping import Float, Int
    from torch import Tensor


@runtime_checkable
class LogitsProcessor(Protocol):
    """Changes the distribution of the next token. Vectorized; a row never depends on another.

    It must not read tensor values (`item`, `tolist`, `if`), which would synchronize with the GPU.
    """

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        """`history` holds the tokens sampled so far. Does not change `logits` in place."""
        ...


@runtime_checkable
class Draw(Protocol):
    """The last step of a sampler chain: picks a token for each row."""

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        """`generators[i]` belongs to row i, so a row samples the same tokens in any batch."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """A sampler with state per row beyond `history`; most have none.

    Used in the AR stage only, where a row stays the same from frame to frame.
    """

    def select(self, rows: Int[Tensor, " r"]) -> None:
        """Keep only these rows of the batch, in this order (the others have ended)."""
        ...


Sampler = LogitsProcessor | Draw
"""What a sampler component builds: one of the two. A new one is built for every request."""
