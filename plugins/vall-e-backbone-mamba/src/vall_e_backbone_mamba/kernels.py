"""Scans over whole sequences: by the kernels of mamba-ssm if available, else in plain torch.

https://github.com/state-spaces/mamba. The kernels need a CUDA device.
"""

import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from torch import Tensor

from vall_e.plugin import UnavailableError
from vall_e_backbone_mamba.options import ScanName
from vall_e_backbone_mamba.scans import STRUCTURED_CHUNK, selective, structured

logger = logging.getLogger(__name__)


Scan = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
"""x, dt, a, b, c -> y, from a state of zeros; shapes as in `vall_e_backbone_mamba.scans`."""


def find_selective(name: ScanName) -> Scan:
    """The function for Mamba's recurrence. Raises `UnavailableError` if `kernels` cannot run."""
    place = "mamba_ssm.ops.selective_scan_interface:selective_scan_fn"
    return _find(name, place, selective_in_torch, selective_by)


def find_structured(name: ScanName) -> Scan:
    """The function for Mamba-2's recurrence. Raises `UnavailableError` if `kernels` cannot run."""
    place = "mamba_ssm.ops.triton.ssd_combined:mamba_chunk_scan_combined"
    return _find(name, place, structured_in_torch, structured_by)


def selective_in_torch(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """In plain torch, for Mamba."""
    return selective(x, dt, a, b, c, x.new_zeros(len(x), *a.shape).float())[0]


def structured_in_torch(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """In plain torch, for Mamba-2."""
    rows, _, heads, size = x.shape
    return structured(x, dt, a, b, c, x.new_zeros(rows, heads, size, b.shape[-1]).float())[0]


def selective_by(
    kernel: Callable[..., Tensor], x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor
) -> Tensor:
    """By `selective_scan_fn(u, delta, A, B, C)`, which has time last."""
    u, delta, b, c = (each.float().transpose(1, 2).contiguous() for each in (x, dt, b, c))
    return kernel(u, delta, a, b, c).transpose(1, 2)


def structured_by(
    kernel: Callable[..., Tensor], x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor
) -> Tensor:
    """By `mamba_chunk_scan_combined(x, dt, A, B, C, chunk_size)`."""
    x, dt, b, c = (each.float().contiguous() for each in (x, dt, b, c))
    return kernel(x, dt, a, b, c, chunk_size=STRUCTURED_CHUNK)


def on_cuda(by_kernel: Scan, in_torch: Scan) -> Scan:
    """The kernel for tensors on a CUDA device, torch for others."""

    def scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        chosen = by_kernel if x.is_cuda else in_torch
        return chosen(x, dt, a, b, c)

    return scan


def insisting(by_kernel: Scan) -> Scan:
    """The kernel, and an error for tensors that are not on a CUDA device."""

    def scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        if not x.is_cuda:
            raise UnavailableError(
                f"scan: kernels runs on CUDA devices only, and this is on {x.device}",
                hint="set scan: auto, or torch",
            )
        return by_kernel(x, dt, a, b, c)

    return scan


def _find(name: ScanName, place: str, in_torch: Scan, adapt: Callable[..., Tensor]) -> Scan:
    if name == "torch":
        return in_torch
    module, _, function = place.partition(":")
    try:
        kernel: Any = getattr(import_module(module), function)
    except Exception as exc:  # an extension for another torch fails with all kinds of exceptions
        if name == "kernels":
            raise UnavailableError(
                f"the kernels of mamba-ssm cannot be imported here: {exc}",
                hint="pip install mamba-ssm on a machine with CUDA, or set scan: torch",
            ) from exc
        logger.info("mamba: using plain torch, as mamba-ssm cannot be imported: %s", exc)
        return in_torch
    adapted = partial(adapt, kernel)
    return insisting(adapted) if name == "kernels" else on_cuda(adapted, in_torch)
