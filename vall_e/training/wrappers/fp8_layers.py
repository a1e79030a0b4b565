"""Linear layers of Transformer Engine, computed in 8-bit floating point.

https://docs.nvidia.com/deeplearning/transformer-engine/; needs a GPU of compute capability 8.9.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vall_e.errors import UnavailableError
from vall_e.training.optional_imports import package

INSTALL = "transformer-engine[pytorch]"
LEAST = (8, 9)
ROWS = 8
"""Its matrix products need a multiple of this many rows."""


def in_transformer_engine(model: nn.Module, names: set[str]) -> nn.Module:
    """Replace the linear layers of these names by its own.

    Each tensor has its own scale, computed for each product: files hold no scale history.
    Raises `UnavailableError` without the package, or without a GPU that supports fp8.
    """
    engine = package("transformer_engine.pytorch", needed_by="fp8", install=INSTALL)
    recipes = package("transformer_engine.common.recipe", needed_by="fp8", install=INSTALL)
    _require_gpu()
    return replaced(model, names, engine, recipes.Float8CurrentScaling())


def replaced(model: nn.Module, names: set[str], engine: Any, recipe: object) -> nn.Module:
    """The same, with `engine` instead of `transformer_engine.pytorch`."""
    layer = _layer(engine, recipe)
    for name in names:
        old = model.get_submodule(name)
        assert isinstance(old, nn.Linear)  # noqa: S101 - its caller looked
        new = layer(old.in_features, old.out_features, bias=old.bias is not None, device="meta")
        new.weight = old.weight
        if old.bias is not None:
            new.bias = old.bias
        model.set_submodule(name, new)
    return model


def _require_gpu() -> None:
    found = torch.cuda.get_device_capability() if torch.cuda.is_available() else None
    if found is None or found < LEAST:
        here = "there is none" if found is None else f"this one has {found[0]}.{found[1]}"
        raise UnavailableError(
            f"fp8 by transformer-engine needs a GPU of compute capability 8.9: {here}",
            hint="leave out the wrapper, or set its `by` to torchao",
        )


def _layer(engine: Any, recipe: object) -> Any:
    """Its linear layer, with the tensor names of a plain one."""

    class Fp8Linear(engine.Linear):  # type: ignore[misc]
        # What its layers keep besides the weights is scale history, which this recipe has none of.
        get_extra_state = nn.Module.get_extra_state
        set_extra_state = nn.Module.set_extra_state

        def forward(self, x: Tensor) -> Tensor:
            rows = x.flatten(0, -2)
            whole = pad(rows, (0, 0, 0, -len(rows) % ROWS))
            with engine.fp8_autocast(enabled=True, fp8_recipe=recipe):
                found: Tensor = super().forward(whole)
            return found[: len(rows)].view(*x.shape[:-1], -1)

    return Fp8Linear
