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
    """What a kernel is asked to do. Equal cases have equal answers, so answers may be cached."""

    device: torch.device
    dtype: torch.dtype
    head_dim: int
    heads: int
    kv_heads: int
    """Number of key/value heads; less than `heads` (a divisor of it) for grouped-query
    attention."""
    masked: bool = False
    """An explicit mask is passed."""
    causal: bool = False
    dropout: float = 0.0
    training: bool = False
    """Gradients are required."""
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
        """The case that these kernel arguments describe."""
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
            # Judged by the strides: reading the values would synchronize with the GPU.
            padding=mask is not None and (mask.shape[2] == 1 or mask.stride(2) == 0),
        )


@runtime_checkable
class AttentionKernel(Protocol):
    """Scaled dot-product attention over `h` query heads, a multiple of `g` key/value heads."""

    name: str

    def unsupported(self, case: AttentionCase) -> str | None:
        """Why this case cannot be computed here, or None. Calling it is an `UnavailableError`."""
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
        """`causal` requires mask None and t == u. `scale` defaults to c ** -0.5.

        `dropout` is the probability that an attention weight is dropped; the rest is scaled up.
        """
        ...
