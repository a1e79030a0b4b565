"""An attention kernel that supports some cases only, and refuses the others with the reason."""

from abc import ABC, abstractmethod

from attrs import frozen
from jaxtyping import Bool, Float
from torch import Tensor

from vall_e.plugin import AttentionCase
from vall_e_backbones.limits import Limits, require


@frozen(eq=False)
class AttentionOptions:
    """The arguments of one call besides queries, keys and values."""

    mask: Bool[Tensor, "b 1 t u"] | None = None
    causal: bool = False
    scale: float | None = None
    dropout: float = 0.0


class LimitedKernel(ABC):
    """A `vall_e.plugin.AttentionKernel` that checks each call against its `limits`.

    A kernel sets `name` and `limits`, and computes in `attend`.
    """

    name: str
    limits: Limits

    def unsupported(self, case: AttentionCase) -> str | None:
        """Why this case cannot be computed here, or None."""
        return self.limits.reason(case)

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
        """As in `vall_e.plugin.AttentionKernel`. Raises: UnavailableError if unsupported."""
        require(self, q, k, mask=mask, causal=causal, dropout=dropout)
        return self.attend(q, k, v, AttentionOptions(mask, causal, scale, dropout))

    @abstractmethod
    def attend(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        options: AttentionOptions,
    ) -> Float[Tensor, "b h t c"]:
        """The output of a call that is supported."""
