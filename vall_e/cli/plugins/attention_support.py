"""Which attention kernels run on this machine, and what they do not support here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from vall_e.errors import VallEError

if TYPE_CHECKING:
    from vall_e.interfaces.attention import AttentionCase, AttentionKernel
    from vall_e.registry import Component


def table_of(kernels: Iterable[Component[Any]]) -> Iterator[str]:
    """A line for each kernel: its name, then yes or no."""
    kernels = list(kernels)
    width = max((len(kernel.name) for kernel in kernels), default=0)
    for kernel in kernels:
        yield f"{kernel.name:<{width}}  {availability(kernel)}"


def availability(component: Component[Any]) -> str:
    """Whether the kernel runs here in the simplest case, and what it does not support."""
    try:
        kernel: AttentionKernel = component.build(component.config())
    except VallEError as exc:
        return f"no: {exc.message}"
    case = _plainest()
    reason = kernel.unsupported(case)
    if reason and kernel.unsupported(_half(case)) is None:  # on a GPU without bfloat16
        case, reason = _half(case), None
    if reason:
        return f"no: {reason}"
    others = [what for what, other in _harder(case) if kernel.unsupported(other)]
    text = f"yes, on {case.device.type} in {str(case.dtype)[6:]}"
    if others:
        text += f", without {', '.join(others)}"
    explain = getattr(kernel, "explain", None)
    return f"{text}: {explain(case)}" if explain else text


def _plainest() -> AttentionCase:
    import torch

    from vall_e.interfaces.attention import AttentionCase

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    return AttentionCase(device, dtype, head_dim=64, heads=4, kv_heads=4)


def _half(case: AttentionCase) -> AttentionCase:
    import torch

    return attrs.evolve(case, dtype=torch.float16)


def _harder(case: AttentionCase) -> Iterator[tuple[str, AttentionCase]]:
    """Further features that a model may need."""
    yield "gradients", attrs.evolve(case, training=True)
    yield "dropout", attrs.evolve(case, dropout=0.1)
    yield "padding", attrs.evolve(case, masked=True, padding=True)
    yield "other masks", attrs.evolve(case, masked=True)
    yield "grouped queries", attrs.evolve(case, kv_heads=2)
