"""Attention kernels of PyTorch itself, and a plain one to compare them with."""

import logging

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.backends.cuda import (
    SDPAParams,
    can_use_cudnn_attention,
    can_use_efficient_attention,
    can_use_flash_attention,
)
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import dropout as drop
from torch.nn.functional import scaled_dot_product_attention

from vall_e.plugin import UnavailableError

log = logging.getLogger(__name__)


class Eager:
    """softmax(q k^T) v with nothing fused."""

    name = "eager"

    def unsupported(
        self,
        *,
        device: torch.device,
        dtype: torch.dtype,
        head_dim: int,
        masked: bool,
        training: bool,
    ) -> str | None:
        return None

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
        groups = q.shape[1] // k.shape[1]
        k, v = (x.repeat_interleave(groups, dim=1) for x in (k, v))
        scores = q @ k.transpose(-1, -2) * (scale or q.shape[-1] ** -0.5)
        if causal:
            mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        return drop(scores.softmax(-1), dropout, training=dropout > 0) @ v


BACKENDS = {
    "sdpa": None,
    "math": SDPBackend.MATH,
    "mem-efficient": SDPBackend.EFFICIENT_ATTENTION,
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
}
_CUDA_CHECKS = {
    "mem-efficient": can_use_efficient_attention,
    "flash": can_use_flash_attention,
    "cudnn": can_use_cudnn_attention,
}


class Sdpa:
    """`scaled_dot_product_attention` of PyTorch, held to one backend where one is named."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.backend = BACKENDS[name]

    def unsupported(
        self,
        *,
        device: torch.device,
        dtype: torch.dtype,
        head_dim: int,
        masked: bool,
        training: bool,
    ) -> str | None:
        if self.name not in _CUDA_CHECKS:
            return None
        if self.name == "flash" and device.type == "cpu":
            # PyTorch's CPU flash kernel has neither masks of its own shape nor dropout.
            return "on the CPU flash attention takes no mask" if masked else None
        if device.type != "cuda":
            return f"{self.name} attention needs a CUDA device, this is {device.type}"
        if not torch.cuda.is_available():
            return "CUDA is not available to this build of PyTorch"
        probe = torch.empty(1, 1, 8, head_dim, device=device, dtype=dtype, requires_grad=training)
        bias = torch.zeros(1, 1, 8, 8, device=device, dtype=dtype) if masked else None
        params = SDPAParams(probe, probe, probe, bias, 0.0, False, False)
        if _CUDA_CHECKS[self.name](params, False):
            return None
        return (
            f"PyTorch's {self.name} kernel cannot do {dtype}, head size {head_dim}, masked={masked}"
        )

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
        reason = self.unsupported(
            device=q.device,
            dtype=q.dtype,
            head_dim=q.shape[-1],
            masked=mask is not None,
            training=q.requires_grad,
        )
        if reason is not None:
            raise UnavailableError(
                f"attention kernel {self.name!r} cannot run this: {reason}",
                hint="set model.attention: auto",
            )
        if self.backend is None:
            return _sdpa(q, k, v, mask, causal, scale, dropout)
        with sdpa_kernel(self.backend):
            return _sdpa(q, k, v, mask, causal, scale, dropout)


def _sdpa(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    causal: bool,
    scale: float | None,
    dropout: float,
) -> Tensor:
    return scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=mask,
        is_causal=causal,
        scale=scale,
        dropout_p=dropout,
        enable_gqa=q.shape[1] != k.shape[1],
    )


class Auto:
    """The first of its candidates that can run the case, found anew when the case changes.

    On CUDA: cudnn, flash, mem-efficient; else PyTorch's own choice. `chosen` says which ran last.
    """

    name = "auto"

    def __init__(self) -> None:
        self.candidates = [Sdpa(name) for name in ("cudnn", "flash", "mem-efficient", "sdpa")]
        self.chosen = ""
        self._known: dict[tuple[torch.device, torch.dtype, int, bool, bool], Sdpa] = {}

    def unsupported(
        self,
        *,
        device: torch.device,
        dtype: torch.dtype,
        head_dim: int,
        masked: bool,
        training: bool,
    ) -> str | None:
        return None

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
        case = (q.device, q.dtype, q.shape[-1], mask is not None, q.requires_grad)
        kernel = self._known.get(case) or self._choose(case)
        return kernel(q, k, v, mask=mask, causal=causal, scale=scale, dropout=dropout)

    def _choose(self, case: tuple[torch.device, torch.dtype, int, bool, bool]) -> Sdpa:
        device, dtype, head_dim, masked, training = case
        # PyTorch's own dispatch is the best that a CPU has.
        candidates = self.candidates if device.type == "cuda" else self.candidates[-1:]
        for kernel in candidates:
            reason = kernel.unsupported(
                device=device, dtype=dtype, head_dim=head_dim, masked=masked, training=training
            )
            if reason is None:
                break
        self._known[case] = kernel
        self.chosen = kernel.name
        log.info("attention: auto took %s for %s %s masked=%s", kernel.name, device, dtype, masked)
        return kernel
