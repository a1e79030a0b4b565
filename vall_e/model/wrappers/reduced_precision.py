"""Weights in fewer bits, for inference: the cost of a frame is mostly reading them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn
from torch.nn.functional import linear

from vall_e.model.valle import Valle
from vall_e.model.wrappers.int8_matmul import Int8Product, has_products
from vall_e.model.wrappers.quantized_linear import in_steps, plain_layers

Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

log = logging.getLogger(__name__)


def reduce(model: Valle, precision: Precision) -> None:
    """Change the model's weights in place. For inference: int8 weights cannot be trained.

    int8 applies to the matrices of the backbone. Layers that do more than a product (those with a
    LoRA) stay as they are.
    """
    if precision == "bf16":
        model.to(torch.bfloat16)
    elif precision == "int8":
        body = model.get_submodule("backbone")
        for name in plain_layers(body):
            body.set_submodule(name, Int8Linear(body.get_submodule(name)))
        if not has_products():
            log.warning("this machine has no int8 products, so int8 weights save memory, not time")


class Int8Linear(nn.Module):
    """A linear layer with an int8 weight (o, i) and a scale for each output.

    Uses `Int8Product`, which is made when it is first needed. On a GPU, or on a CPU without
    support, the weight is dequantized for the product.
    """

    weight: Int8[Tensor, "o i"]
    scale: Float[Tensor, " o"]
    bias: Float[Tensor, " o"] | None

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        if not isinstance(layer, nn.Linear):
            raise TypeError(f"a linear layer can be in int8, a {type(layer).__name__} cannot")
        weight, grouped = in_steps(layer.weight.detach().float(), bits=8, group=layer.in_features)
        self.out_features = layer.out_features
        self.register_buffer("weight", weight)
        self.register_buffer("scale", grouped[:, 0])
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())
        self.multiplies = has_products()
        self._products: dict[tuple[Int8Linear, ...], Int8Product] = {}

    def forward(self, x: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        if not self.multiplies or x.device.type != "cpu":
            expanded = self.weight.to(x.dtype) * self.scale[:, None].to(x.dtype)
            return linear(x, expanded, self.bias)
        whole = self._product(())(x)
        return whole if self.bias is None else whole + self.bias

    def joined(self, others: Sequence[nn.Module]) -> Callable[[Tensor], Tensor] | None:
        """As in `Joinable`: the input is quantized once."""
        alike = [o for o in others if isinstance(o, Int8Linear)]
        plain = all(o.multiplies and o.bias is None for o in (self, *alike))
        here = self.weight.device.type == "cpu"
        return self._product(tuple(alike)) if plain and here and len(alike) == len(others) else None

    def __getstate__(self) -> dict[str, object]:
        """For copies, which create their own products: those cannot be copied."""
        return {**self.__dict__, "_products": {}}

    def _product(self, others: tuple[Int8Linear, ...]) -> Int8Product:
        if others not in self._products:
            layers = (self, *others)
            self._products[others] = Int8Product.of(
                [layer.weight.cpu() for layer in layers], [layer.scale.cpu() for layer in layers]
            )
        return self._products[others]
