"""What training asks of an engine, and of optimizers with extra abilities. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch
    from jaxtyping import Float
    from torch import Tensor


T = TypeVar("T")


@runtime_checkable
class Engine(Protocol):
    """Runs the steps of the training loop: where, in which precision, on how many devices.

    One loop serves every engine; `rank` and `world_size` say which share of the data is its own.
    `sharded`: whether each rank has only a part of the weights, so that all of them must take part
    in collecting what one of them saves.
    """

    device: torch.device
    rank: int
    world_size: int
    sharded: bool

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

    def accumulate(self, *, last: bool) -> AbstractContextManager[object]:
        """The context of both passes of a batch; ranks exchange gradients in the `last` of a step.

        How many batches a step has is the same on all ranks.
        """
        ...

    def backward(self, loss: Float[Tensor, ""]) -> None:
        """Add to the gradients. Those of a step are the sums over its batches and over all ranks.

        So each rank gives its share of one loss. A rank's batch may leave weights unused.
        """
        ...

    def step(self, *, clip_norm: float) -> float:
        """Unscale, clip, update, zero the gradients; return the gradient norm before clipping.

        The norm is that of the gradients of all ranks, and the same on all of them. Gradients that
        are not finite change no weight; the returned norm shows them.
        """
        ...

    def gather(self, value: T) -> list[T]:
        """The values of all ranks, by rank; each must call it. For a few numbers or words.

        Raises `TrainingError`, naming the rank if that is known, if one is gone or does not answer.
        """
        ...

    def close(self) -> None:
        """The run has ended, perhaps by an error: leave the other processes."""
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
