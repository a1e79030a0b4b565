"""Muon for matrices and AdamW for the rest, as one optimizer.

Muon is by Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; the scale that allows one
learning rate for both is by Liu et al. 2025, https://arxiv.org/abs/2502.16982.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch.nn import Parameter

from vall_e.errors import ConfigError, UnavailableError
from vall_e.training.optimizers.options import MuonConfig
from vall_e.training.optimizers.torch_optimizers import decays, groups


class Together(torch.optim.Optimizer):
    """Several optimizers of different parameters as one, with all their groups and one state."""

    def __init__(self, parts: Sequence[torch.optim.Optimizer]) -> None:
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.parts = parts
        self._share()

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of each. `closure` is for optimizers that evaluate twice; these do not."""
        if closure is not None:
            raise ValueError("this optimizer does not support a closure")
        for part in self.parts:
            part.step()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        """Let the parts use our groups and our state, which are what is saved."""
        rest = iter(self.param_groups)
        for part in self.parts:
            part.param_groups = [next(rest) for _ in part.param_groups]
            part.state = self.state


def muon(config: MuonConfig, parameters: Iterable[tuple[str, Parameter]]) -> torch.optim.Optimizer:
    if not hasattr(torch.optim, "Muon"):
        raise UnavailableError(
            f"muon needs torch 2.9 or later, this is {torch.__version__}",
            hint="pip install -U torch",
        )
    trained = [(name, p) for name, p in parameters if p.requires_grad]
    _require_fit([name for name, _ in trained], config.rest)
    matrices = [
        p for name, p in trained if p.ndim == 2 and decays(p) and not _fits(name, config.rest)
    ]
    ours = {id(p) for p in matrices}
    rest = groups([(n, p) for n, p in trained if id(p) not in ours], config.weight_decay)
    parts: list[torch.optim.Optimizer] = []
    if matrices:
        parts.append(
            torch.optim.Muon(
                matrices,
                lr=config.lr,
                weight_decay=config.weight_decay,
                momentum=config.momentum,
                ns_steps=config.iterations,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    if rest:
        betas = (config.beta1, config.beta2)
        parts.append(torch.optim.AdamW(rest, lr=config.lr, betas=betas, eps=config.eps))
    return Together(parts)


def _require_fit(names: Sequence[str], patterns: tuple[str, ...]) -> None:
    """The default patterns are made for our models, and may not match others."""
    idle = [each for each in patterns if not any(_fits(name, [each]) for name in names)]
    if idle and patterns != MuonConfig().rest:
        raise ConfigError(
            f"training.optimizer.rest: no weight matches {', '.join(idle)}",
            hint=f"use names such as {', '.join(names[:3])}; * matches any part of a name",
        )


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
