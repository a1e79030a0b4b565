"""What training asks of an engine, and of optimizers with extra abilities. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch
    from jaxtyping import Float
    from torch import Tensor


@runtime_checkable
class Engine(Protocol):
    """Runs the steps of the training loop: where, in which precision, on how many devices.

    One loop serves every engine; `rank` and `world_size` say which share of the data is its own.
    """

    device: torch.device
    rank: int
    world_size: int

    def prepare(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        device: str,
        precision: str,
    ) -> torch.nn.Module:
        """Move the model; return what the loop calls instead. Sets device, rank, world_size.

        `device` and `precision` are those of `training`. The model's `forward` takes examples and
        returns a dict of scalars, including `loss`. Raises `UnavailableError` if it cannot run
        here.
        """
        ...

    def autocast(self) -> AbstractContextManager[object]:
        """The context of each forward pass, for the chosen `precision`."""
        ...

    def backward(self, loss: Float[Tensor, ""], *, last: bool) -> None:
        """Add to the gradients; ranks exchange them only at the `last` batch of an accumulation."""
        ...

    def step(self, *, clip_norm: float) -> float:
        """Unscale, clip, update, zero the gradients; return the gradient norm before clipping.

        Gradients that are not finite change no weight; the returned norm shows them.
        """
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """State of `prepare` (a loss scale, for example) that must be restored on resume."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None: ...


@runtime_checkable
class Averaging(Protocol):
    """Extra methods of an optimizer whose training weights differ from its inference weights."""

    def eval(self) -> None:
        """Set the parameters to their inference values."""
        ...

    def train(self) -> None:
        """Continue training. Restores the training values, bit for bit."""
        ...


@runtime_checkable
class Rounding(Protocol):
    """Extra methods of a module that computes with other weights than the ones it trains."""

    def settle(self) -> None:
        """Replace the weights by those it computes with, and use them unchanged.

        A plain module then computes the same from them.
        """
        ...

    def unsettle(self) -> None:
        """Continue training. Restores the trained weights, bit for bit."""
        ...
