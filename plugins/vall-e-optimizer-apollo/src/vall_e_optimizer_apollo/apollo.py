"""APOLLO (Zhu et al. 2024, https://arxiv.org/abs/2412.05270)."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter

from vall_e_optimizer_apollo.options import ApolloConfig

LEAST = 1e-12
"""Lower bound of a length."""


class Apollo(torch.optim.Optimizer):
    """Scales gradients as AdamW would, with scales estimated from a random projection of them.

    The state of a matrix (m, n) with m <= n has `rank` rows of n values, where AdamW has m.
    `by_channel` uses a scale for each of the n channels; otherwise there is one for all.
    """

    def __init__(
        self, config: ApolloConfig, parameters: Iterable[tuple[str, Parameter]], *, by_channel: bool
    ) -> None:
        trained = [p for _, p in parameters if p.requires_grad]
        groups = [
            {"params": [p for p in trained if decays(p)], "weight_decay": config.weight_decay},
            {"params": [p for p in trained if not decays(p)], "weight_decay": 0.0},
        ]
        defaults = {
            "lr": config.lr,
            "betas": (config.beta1, config.beta2),
            "eps": config.eps,
            "rank": config.rank,
            "scale": config.scale,
            "gap": config.gap,
            "growth": config.growth,
        }
        super().__init__([group for group in groups if group["params"]], defaults)
        self.by_channel = by_channel

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update. `closure` is for optimizers that evaluate twice, which this one does not."""
        if closure is not None:
            raise ValueError("apollo does not support a closure")
        number = 0
        for group in self.param_groups:
            for parameter in group["params"]:
                number += 1
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    update = self._update(parameter, group, number)
                    parameter.sub_(update.view_as(parameter), alpha=group["lr"])

    def _update(self, parameter: Parameter, group: dict[str, Any], number: int) -> Tensor:
        state = self.state[parameter]
        step = state["step"] = state.get("step", 0) + 1
        gradient = parameter.grad
        assert gradient is not None  # noqa: S101 - its caller looked
        if parameter.ndim != 2 or not decays(parameter) or min(parameter.shape) <= group["rank"]:
            return adam(gradient, state, group)
        wide = gradient if gradient.shape[0] <= gradient.shape[1] else gradient.T
        rows = projection(group["rank"], len(wide), seed=number + (step - 1) // group["gap"] * 7919)
        small = rows.to(wide) @ wide
        scaled = adam(small, state, group)
        axis = 0 if self.by_channel else None
        factor = _length(scaled, axis) / _length(small, axis).clamp(min=LEAST)
        found = wide * factor * group["scale"] ** 0.5
        found = limited(found, state, group["growth"])
        return found if wide is gradient else found.T.contiguous()


def decays(parameter: Parameter) -> bool:
    """Whether it is a matrix that its module does not exclude."""
    return parameter.ndim >= 2 and not getattr(parameter, "no_weight_decay", False)


def adam(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """Adam's update for the gradient, with its moments in `state`."""
    beta1, beta2 = group["betas"]
    if "mean" not in state:
        state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
    state["mean"].lerp_(gradient, 1 - beta1)
    state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    mean = state["mean"] / (1 - beta1 ** state["step"])
    square = state["square"] / (1 - beta2 ** state["step"])
    found: Tensor = mean / (square.sqrt() + group["eps"])
    return found


def projection(rank: int, height: int, *, seed: int) -> Float[Tensor, "r m"]:
    """Random rows that keep lengths on average; they depend on the seed alone, on any device."""
    generator = torch.Generator().manual_seed(seed)
    rows: Tensor = torch.randn(rank, height, generator=generator) / rank**0.5
    return rows


def limited(
    update: Float[Tensor, "m n"], state: dict[str, Any], growth: float
) -> Float[Tensor, "m n"]:
    """Shortened if it is more than `growth` times as long as the update before."""
    length = update.norm()
    longest = state["length"] * growth if "length" in state else length
    kept = torch.minimum(length, longest)
    state["length"] = kept.clamp(min=LEAST)  # from zero it could not grow again
    shortened: Tensor = update * (kept / length.clamp(min=LEAST))
    return shortened


def _length(x: Tensor, axis: int | None) -> Tensor:
    found: Tensor = x.norm() if axis is None else x.norm(dim=axis)
    return found
