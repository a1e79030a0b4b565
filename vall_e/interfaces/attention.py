"""What a backbone asks of an attention kernel. Torch-free; sizes: `vall_e.interfaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    import torch
    from jaxtyping import Bool, Float
    from torch import Tensor


@frozen
class AttentionCase:
    """What a kernel is asked to do. Equal cases have equal answers, so they may be remembered."""

    device: torch.device
    dtype: torch.dtype
    head_dim: int
    heads: int
    kv_heads: int
    """Fewer than `heads`, of which it is a divisor, where query heads share keys and values."""
    masked: bool = False
    """An explicit mask is given."""
    causal: bool = False
    dropout: float = 0.0
    training: bool = False
    """Gradients are wanted."""
    padding: bool = False
    """The mask hides whole keys: it is the same for all queries of a row."""

    @classmethod
    def of(
        cls,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        *,
        mask: Bool[Tensor, "b 1 t u"] | None,
        causal: bool,
        dropout: float,
    ) -> AttentionCase:
        """The case that these arguments of a kernel make."""
        return cls(
            device=q.device,
            dtype=q.dtype,
            head_dim=q.shape[-1],
            heads=q.shape[1],
            kv_heads=k.shape[1],
            masked=mask is not None,
            causal=causal,
            dropout=dropout,
            training=q.requires_grad or k.requires_grad,
            # Told by how it lies in memory: a look at what it says would wait for the GPU.
            padding=mask is not None and (mask.shape[2] == 1 or mask.stride(2) == 0),
        )


@runtime_checkable
class AttentionKernel(Protocol):
    """Scaled dot-product attention over `h` query heads, a multiple of `g` key/value heads."""

    name: str

    def unsupported(self, case: AttentionCase) -> str | None:
        """Why this cannot be done here, or None. A call that it covers is an `UnavailableError`."""
        ...

    def __call__(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        *,
        mask: Bool[Tensor, "b 1 t u"] | None = None,
        causal: bool = False,
        scale: float | None = None,
        dropout: float = 0.0,
    ) -> Float[Tensor, "b h t c"]:
        """`causal` goes with mask None and t == u. `scale`: c ** -0.5 unless given.

        `dropout` is the chance of each attention weight to be dropped; the rest is scaled up.
        """
        ...
