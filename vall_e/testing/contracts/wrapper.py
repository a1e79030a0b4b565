"""What every wrapper must do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vall_e.errors import UnavailableError
from vall_e.testing.contracts.pytest_words import pytest


class WrapperContract:
    """`make` builds the wrapper at its neutral settings: those that change no output.

    `model` may be replaced where the wrapper needs more than a list of linear `layers`, whose sides
    are multiples of 16; `tolerance` where rounding is all that it changes. `learns` is False of a
    wrapper to speak with, `speaks` of one to train with: what its component says (`used_in`)
    decides, where there is one.
    """

    tolerance = 0.0
    learns = True
    speaks = True

    def make(self) -> Callable[[nn.Module], nn.Module]:
        raise NotImplementedError

    def model(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return Stack()

    def wrapped(self) -> nn.Module:
        """The model as the wrapper leaves it; one that cannot run here is not tried."""
        try:
            return self.make()(self.model())
        except UnavailableError as exc:
            pytest.skip(exc.message)

    def test_outputs_stay(self) -> None:
        x = self._inputs()
        expected = self.model()(x)
        found = self.wrapped()(x)
        torch.testing.assert_close(found, expected, rtol=self.tolerance, atol=self.tolerance)

    def test_keys_of_the_state_stay(self) -> None:
        """But for adapters (`...adapters...`), which files of weights hold beside the model."""
        wrapped = self.wrapped()
        keys = [key for key in wrapped.state_dict() if ".adapters." not in key]
        assert keys == list(self.model().state_dict())

    def test_gradients_flow(self) -> None:
        if not self.learns:
            pytest.skip("it is to speak with")
        wrapped = self.wrapped()
        wrapped(self._inputs()).sum().backward()
        assert all(p.grad is not None for p in wrapped.parameters() if p.requires_grad)

    def test_gradients_are_those_of_a_plain_model(self) -> None:
        """Of the input, before which other layers stand, and of what learns under its old name."""
        if not self.learns:
            pytest.skip("it is to speak with")
        found, expected = (_gradients(m, self._inputs()) for m in (self.wrapped(), self.model()))
        assert "input" in found, "what stands before it learns nothing"
        near = 4 * self.tolerance
        for name in found.keys() & expected.keys():
            torch.testing.assert_close(found[name], expected[name], rtol=near, atol=near)

    def test_takes_nothing_from_what_learns(self) -> None:
        """Names may change, as those of parametrized weights do; the number of values may not."""
        if not self.learns:
            pytest.skip("it is to speak with")
        assert _values(self.wrapped()) >= _values(self.model())

    def test_adds_nothing_to_learn_for_speaking(self) -> None:
        """Adapters that learnt nothing would be drawn anew for each process that speaks."""
        if not self.speaks:
            pytest.skip("it is to train with")
        assert not [key for key in self.wrapped().state_dict() if ".adapters." in key]

    def test_what_is_saved_is_what_a_plain_model_reads(self) -> None:
        """Without the wrapper it computes the same: what is exported does not need the wrapper."""
        x = self._inputs()
        wrapped, plain = self.wrapped(), self.model()
        state = wrapped.state_dict()
        plain.load_state_dict({k: v for k, v in state.items() if ".adapters." not in k})
        near = self.tolerance
        torch.testing.assert_close(plain(x), wrapped(x), rtol=near, atol=near)

    def test_weights_of_a_plain_model_can_be_read(self) -> None:
        """As resuming does: what computes afterwards is what was read."""
        x = self._inputs()
        wrapped, other = self.wrapped(), self.model()
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.mul_(0.5)
        wrapped.load_state_dict(other.state_dict(), strict=False)
        near = self.tolerance
        torch.testing.assert_close(wrapped(x), other(x), rtol=near, atol=near)

    def test_speaking_and_training_reach_every_part(self) -> None:
        wrapped = self.wrapped()
        for mode in (False, True):
            assert all(part.training is mode for part in wrapped.train(mode).modules())

    def _inputs(self) -> Tensor:
        """Rows for its first layer."""
        first = next(layer for layer in self.model().modules() if isinstance(layer, nn.Linear))
        width = first.in_features
        return torch.linspace(-1, 1, 16 * width).reshape(16, width)


class Stack(nn.Module):
    """A backbone in little: layers in a list, and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(16, 32), nn.Linear(32, 16)])
        self.norm = nn.LayerNorm(16)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).sin()
        normed: Tensor = self.norm(x)
        return normed


def _gradients(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """By the names of parameters, and `input`; what has none is left out."""
    x = x.clone().requires_grad_()
    out = model(x)
    (out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum().backward()
    learning = {"input": x, **dict(model.named_parameters())}
    return {name: p.grad for name, p in learning.items() if p.grad is not None}


def _values(model: nn.Module) -> int:
    """Numbers that an optimizer would be given."""
    return sum(parameter.numel() for parameter in model.parameters())
