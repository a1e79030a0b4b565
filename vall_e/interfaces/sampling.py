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
    """Changes the distribution of the next token. Vectorised; a row never looks at another.

    No sampler asks a tensor for its values (`item`, `tolist`, `if`), for which a GPU is waited for.
    """

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        """`history` holds what was drawn so far. Does not change `logits` in place."""
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
        """`generators[i]` belongs to row i, so that a row draws the same in any batch."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """A sampler that remembers more of each row than `history` says; most do not.

    It serves the AR stage only, where a row stays what it is from frame to frame.
    """

    def select(self, rows: Int[Tensor, " r"]) -> None:
        """The batch goes on with these of its rows, in this order (others have ended)."""
        ...


Sampler = LogitsProcessor | Draw
"""What a sampler component builds: one of the two. It is built anew for every request."""
