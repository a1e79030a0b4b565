"""Weights in fewer bits, to speak with: what a frame costs is mostly reading them."""

from __future__ import annotations

import logging
import platform
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn
from torch.nn.functional import linear

from vall_e.model.rounded import in_steps, plain_layers
from vall_e.model.valle import Valle

Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

TINY = 1e-30
"""Stands in for the largest of inputs that are nothing but zeros."""

log = logging.getLogger(__name__)


def reduce(model: Valle, precision: Precision) -> None:
    """Change the model's weights in place. For speaking: what is in int8 learns nothing.

    int8 takes the matrices of the backbone. Layers that are more than a product (those with a
    LoRA) stay as they are.
    """
    if precision == "bf16":
        model.to(torch.bfloat16)
    elif precision == "int8":
        body = model.get_submodule("backbone")
        for name in plain_layers(body):
            body.set_submodule(name, Int8Linear(body.get_submodule(name)))
        if not _has_products():
            log.warning("this machine has no int8 products, so int8 weights save memory, not time")


class Int8Linear(nn.Module):
    """A linear layer with an int8 weight (o, i): each output has a scale of its own.

    What it reads is rounded to 8 bits too, with a scale for each row, so that a row is the same
    in any batch (as in LLM.int8, Dettmers et al. 2022, https://arxiv.org/abs/2208.07339, without
    its outliers). On a GPU, or where the processor cannot, the weight is expanded for the product.
    """

    weight: Int8[Tensor, "o i"]
    scale: Float[Tensor, " o"]
    bias: Float[Tensor, " o"] | None

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        if not isinstance(layer, nn.Linear):
            raise TypeError(f"a linear layer can be in int8, a {type(layer).__name__} cannot")
        weight, grouped = in_steps(layer.weight.detach().float(), bits=8, group=layer.in_features)
        scale = grouped[:, 0]
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())
        self._half = 127 if _adds_in_32_bits() else 63
        self._step = scale / self._half  # of an input whose largest value is 1
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)
        self._packed = (
            torch.ops.onednn.qlinear_prepack(self.weight.cpu(), None) if _has_products() else None
        )

    def forward(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        if self._packed is None or x.device.type != "cpu":
            expanded = self.weight.to(x.dtype) * self.scale[:, None].to(x.dtype)
            return linear(x, expanded, self.bias)
        rows = x.reshape(-1, x.shape[-1])
        largest = torch.linalg.vector_norm(rows, ord=torch.inf, dim=-1, keepdim=True)
        largest.clamp_min_(TINY)
        middle = self._half + 1
        # Half a step more, since what follows cuts off: that rounds.
        counts = (rows * (self._half / largest)).add_(middle + 0.5).to(torch.uint8)
        # Input scale and zero, weight scales and zeros, no bias, output in fp32, nothing after it.
        out = torch.ops.onednn.qlinear_pointwise(
            counts, 1.0, middle, self._packed, self._step, self._zeros, None,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        whole: Tensor = out.mul_(largest).view(*x.shape[:-1], -1)
        return whole if self.bias is None else whole + self.bias


def _has_products() -> bool:
    """Whether oneDNN multiplies int8 here; on other processors it does so slowly or not at all."""
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    known = hasattr(torch.ops.onednn, "qlinear_prepack")
    return x86 and known and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def _adds_in_32_bits() -> bool:
    """Whether sums of products cannot overflow (VNNI, AMX); else the inputs get a bit less."""
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(known.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))
