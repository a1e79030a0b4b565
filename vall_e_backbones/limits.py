"""The cases that an attention kernel supports, as a value, with reasons for the others."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

import torch
from attrs import frozen
from jaxtyping import Bool, Float
from torch import Tensor

from vall_e.plugin import AttentionCase, AttentionKernel, UnavailableError

HALF = (torch.float16, torch.bfloat16)
FLOATS = (torch.float32, *HALF)


@frozen
class Limits:
    """Limits of one kernel. An empty tuple or a 0 means no limit."""

    absent: str = ""
    """Why the kernel is not available at all: its package is not installed, for example."""
    devices: tuple[str, ...] = ("cuda",)
    dtypes: tuple[torch.dtype, ...] = FLOATS
    max_head_dim: int = 0
    head_dim_multiple: int = 1
    masks: Literal["none", "padding", "any"] = "any"
    """`padding`: masks that are the same for all queries."""
    dropout: bool = False
    gradients: bool = True
    capabilities: tuple[int, int] = (0, 99)
    """The first and the last major compute capability of a CUDA device, 7 for Volta."""

    def reason(self, case: AttentionCase) -> str | None:
        """Why the case is outside these limits, or None."""
        if self.absent:
            return self.absent
        if self.devices and case.device.type not in self.devices:
            wanted = " or ".join(device.upper() for device in self.devices)
            return f"needs a {wanted} device, this is {case.device.type}"
        return self._of_device(case) or self._of_heads(case) or self._of_options(case)

    def _of_device(self, case: AttentionCase) -> str | None:
        if case.device.type != "cuda":
            return None
        if not torch.cuda.is_available():
            return "CUDA is not available to this build of PyTorch"
        first, last = self.capabilities
        major, minor = torch.cuda.get_device_capability(case.device)
        if first <= major <= last:
            return None
        wanted = f"{first}.x" if first == last else f"{first}.0 or more"
        return f"needs a GPU of compute capability {wanted}, this one has {major}.{minor}"

    def _of_heads(self, case: AttentionCase) -> str | None:
        if case.dtype not in self.dtypes:
            wanted = " or ".join(str(dtype)[6:] for dtype in self.dtypes)
            return f"supports {wanted}, this is {str(case.dtype)[6:]}"
        if self.max_head_dim and case.head_dim > self.max_head_dim:
            return f"supports heads up to {self.max_head_dim} channels, these have {case.head_dim}"
        if case.head_dim % self.head_dim_multiple:
            wanted = f"a multiple of {self.head_dim_multiple} channels"
            return f"supports heads of {wanted}, these have {case.head_dim}"
        return None

    def _of_options(self, case: AttentionCase) -> str | None:
        if case.dropout and not self.dropout:
            return "does not support dropout"
        if case.training and not self.gradients:
            return "does not support gradients"
        if case.masked and self.masks == "none":
            return "does not support masks"
        if case.masked and not case.padding and self.masks == "padding":
            return "supports padding masks only, the same for all queries"
        return None


def require(
    kernel: AttentionKernel,
    q: Float[Tensor, "b h t c"],
    k: Float[Tensor, "b g u c"],
    *,
    mask: Bool[Tensor, "b 1 t u"] | None,
    causal: bool,
    dropout: float,
) -> None:
    """Refuse a call that the kernel declares unsupported. Raises: UnavailableError."""
    case = AttentionCase.of(q, k, mask=mask, causal=causal, dropout=dropout)
    refuse(kernel.name, kernel.unsupported(case))


def refuse(name: str, reason: str | None) -> None:
    """Raise `UnavailableError` with the reason why a kernel does not support a case, if any."""
    if reason is not None:
        raise UnavailableError(
            f"attention kernel {name!r} cannot run this: {reason}", hint="set model.attention: auto"
        )


@frozen
class Package:
    """A package that may be missing or broken, which does not matter until it is called."""

    found: Any = None
    absent: str = ""
    """Why it is not available, and what to do."""

    @classmethod
    def load(
        cls, module: str, install: str, *, ready: Callable[[Any], str] = lambda _: ""
    ) -> "Package":
        """Import it; `ready` returns a reason why it cannot be used, if there is one."""
        try:
            found = import_module(module)
        except ImportError as exc:
            top = module.partition(".")[0]
            if isinstance(exc, ModuleNotFoundError) and exc.name == top:
                return cls(absent=f"{top} is not installed: pip install {install}")
            return cls(absent=f"{top} cannot be imported: {exc}")
        return cls(found, ready(found))
