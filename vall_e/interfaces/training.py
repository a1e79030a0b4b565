"""What training asks of an engine, and of optimizers that want more than steps. Torch-free."""

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

    One loop serves every engine; `rank` and `world_size` say which share of the data is ours.
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
        """Move the model; gives what the loop calls in its place. Sets device, rank, world_size.

        `device` and `precision` are those of `training`. The model's `forward` takes examples and
        gives a dict of scalars, `loss` among them. Raises `UnavailableError` if it cannot run here.
        """
        ...

    def autocast(self) -> AbstractContextManager[object]:
        """The context of each forward pass: what `precision` asks for."""
        ...

    def backward(self, loss: Float[Tensor, ""], *, last: bool) -> None:
        """Add to the gradients; `last` of an accumulation window: ranks exchange them only then."""
        ...

    def step(self, *, clip_norm: float) -> float:
        """Unscale, clip, update, zero the gradients; gives the gradient norm before clipping.

        Gradients that are not finite change no weight; the norm tells of them.
        """
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """What `prepare`d state (a loss scale, say) must come back on resume."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None: ...


@runtime_checkable
class Averaging(Protocol):
    """What an optimizer has besides if it learns other weights than those to speak with."""

    def eval(self) -> None:
        """Give the parameters the values to speak with."""
        ...

    def train(self) -> None:
        """Go on learning. The values to learn with are put back afterwards, bit for bit."""
        ...


@runtime_checkable
class Rounding(Protocol):
    """What a module has besides if it computes with other weights than those that it learns."""

    def settle(self) -> None:
        """Take over the weights that it computes with, and compute with them as they are.

        What a plain module computes from them is then the same.
        """
        ...

    def unsettle(self) -> None:
        """Go on learning. The weights to learn are put back afterwards, bit for bit."""
        ...
