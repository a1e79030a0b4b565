"""Attention kernels of PyTorch itself, and a plain one as a reference."""

import logging
from functools import cache

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

from vall_e.plugin import AttentionCase
from vall_e_backbones.formula import attention_weights, own_heads
from vall_e_backbones.limits import require

log = logging.getLogger(__name__)


class Eager:
    """softmax(q k^T) v, unfused."""

    name = "eager"

    def unsupported(self, case: AttentionCase) -> str | None:
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
        k, v = own_heads(q, k, v)
        weights = attention_weights(q, k, mask=mask, causal=causal, scale=scale)
        return drop(weights, dropout, training=dropout > 0) @ v


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
    """`scaled_dot_product_attention` of PyTorch, restricted to one backend if one is named."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.backend = BACKENDS[name]

    def unsupported(self, case: AttentionCase) -> str | None:
        return _reason(self.name, case) if self.name in _CUDA_CHECKS else None

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
        if self.backend is None:  # supports everything
            return _sdpa(q, k, v, mask, causal, scale, dropout)
        require(self, q, k, mask=mask, causal=causal, dropout=dropout)
        with sdpa_kernel(self.backend):
            return _sdpa(q, k, v, mask, causal, scale, dropout)


@cache  # probing a CUDA device takes longer than a small attention
def _reason(name: str, case: AttentionCase) -> str | None:
    """Why a fused kernel of PyTorch does not support the case, or None."""
    if name == "flash" and case.device.type == "cpu":
        return "flash attention on the CPU does not support dropout" if case.dropout else None
    if case.device.type != "cuda":
        return f"{name} attention needs a CUDA device, this is {case.device.type}"
    if not torch.cuda.is_available():
        return "CUDA is not available to this build of PyTorch"
    if _CUDA_CHECKS[name](_probe(case), False):
        return None
    return f"PyTorch's {name} kernel does not support {case}"


def _probe(case: AttentionCase) -> SDPAParams:
    """Small tensors of the case, which PyTorch's checks inspect."""

    def empty(heads: int) -> Tensor:
        shape = (1, heads, 8, case.head_dim)
        return torch.empty(shape, device=case.device, dtype=case.dtype, requires_grad=case.training)

    q, k, v = empty(case.heads), empty(case.kv_heads), empty(case.kv_heads)
    # PyTorch converts a mask to a bias in the dtype of q before it chooses a kernel.
    bias = q.new_zeros(1, 1, 8, 8) if case.masked else None
    return SDPAParams(q, k, v, bias, case.dropout, case.causal, case.heads != case.kv_heads)


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
    """The first candidate that supports the case, chosen again when the case changes.

    On CUDA: cudnn, flash, mem-efficient; otherwise PyTorch's own choice. `chosen` is the last one.
    """

    name = "auto"

    def __init__(self) -> None:
        self.candidates = [Sdpa(name) for name in ("cudnn", "flash", "mem-efficient", "sdpa")]
        self.chosen = ""
        self._known: dict[AttentionCase, Sdpa] = {}

    def unsupported(self, case: AttentionCase) -> str | None:
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
        # On a CPU PyTorch's own dispatch is best. Decided right away, since each layer asks for
        # each frame.
        if q.device.type == "cpu":
            kernel = self.candidates[-1]
        else:
            case = AttentionCase.of(q, k, mask=mask, causal=causal, dropout=dropout)
            kernel = self._known.get(case) or self._choose(case)
        self.chosen = kernel.name
        return kernel(q, k, v, mask=mask, causal=causal, scale=scale, dropout=dropout)

    def explain(self, case: AttentionCase) -> str:
        """Which kernel runs the case, and why none of the earlier ones."""
        if case.device.type != "cuda":
            return f"uses sdpa: on {case.device.type} PyTorch's own choice is the best"
        kernel, passed_over = self._first(case)
        return "; ".join([f"uses {kernel.name}", *passed_over])

    def _choose(self, case: AttentionCase) -> Sdpa:
        kernel, _ = self._first(case)
        self._known[case] = kernel
        log.info("attention: auto %s, for %s", self.explain(case), case)
        return kernel

    def _first(self, case: AttentionCase) -> tuple[Sdpa, list[str]]:
        candidates = self.candidates if case.device.type == "cuda" else self.candidates[-1:]
        passed_over: list[str] = []
        for kernel in candidates:
            reason = kernel.unsupported(case)
            if reason is None:
                return kernel, passed_over
            passed_over.append(f"not {kernel.name}: {reason}")
        raise AssertionError("sdpa supports everything")
