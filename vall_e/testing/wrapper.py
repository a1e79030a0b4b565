"""What every wrapper must do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class WrapperContract:
    """`make` builds the wrapper at its neutral settings: those that change no output.

    `model` may be replaced where the wrapper needs more than linear layers; `tolerance` where
    another order of sums is all that it changes.
    """

    tolerance = 0.0

    def make(self) -> Callable[[nn.Module], nn.Module]:
        raise NotImplementedError

    def model(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3))

    def test_outputs_stay(self) -> None:
        x = torch.linspace(-1, 1, 20).reshape(5, 4)
        expected = self.model()(x)
        found = self.make()(self.model())(x)
        torch.testing.assert_close(found, expected, rtol=self.tolerance, atol=self.tolerance)

    def test_keys_of_the_state_stay(self) -> None:
        """But for adapters (`...adapters...`), which files of weights hold beside the model."""
        wrapped = self.make()(self.model())
        keys = [key for key in wrapped.state_dict() if ".adapters." not in key]
        assert keys == list(self.model().state_dict())

    def test_gradients_flow(self) -> None:
        wrapped = self.make()(self.model())
        wrapped(torch.ones(2, 4)).sum().backward()
        assert all(p.grad is not None for p in wrapped.parameters() if p.requires_grad)
