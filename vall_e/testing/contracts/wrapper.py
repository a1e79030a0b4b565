"""What every wrapper must do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vall_e.errors import UnavailableError
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_close


class WrapperContract:
    """`make` builds the wrapper at its neutral settings: those that change no output.

    `model` may be replaced if the wrapper needs more than a list of linear `layers`, whose sides
    are multiples of 16; set `tolerance` if the wrapper rounds. `learns` is False for a wrapper for
    inference only, `speaks` for one for training only: its component decides (`used_in`), if
    there is one.
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
        """The model as wrapped; skips if the wrapper cannot run here."""
        try:
            return self.make()(self.model())
        except UnavailableError as exc:
            pytest.skip(exc.message)

    def test_outputs_do_not_change(self) -> None:
        x = self._inputs()
        expected = self.model()(x)
        found = self.wrapped()(x)
        message = "the wrapper changes the model's outputs"
        require_close(found, expected, message, rtol=self.tolerance, atol=self.tolerance)

    def test_state_keys_do_not_change(self) -> None:
        """Except adapters (`...adapters...`), which weight files hold in addition to the model."""
        wrapped = self.wrapped()
        keys = [key for key in wrapped.state_dict() if ".adapters." not in key]
        plain = list(self.model().state_dict())
        assert keys == plain, f"the wrapper changes state_dict keys: {set(keys) ^ set(plain)}"

    def test_gradients_flow(self) -> None:
        if not self.learns:
            pytest.skip("it is for inference only")
        wrapped = self.wrapped()
        wrapped(self._inputs()).sum().backward()
        missing = [
            name for name, p in wrapped.named_parameters() if p.requires_grad and p.grad is None
        ]
        assert not missing, f"no gradient reaches {', '.join(missing)}"

    def test_gradients_are_those_of_a_plain_model(self) -> None:
        """Gradients of the input, for the layers before it, and of parameters that kept their
        name."""
        if not self.learns:
            pytest.skip("it is for inference only")
        found, expected = (_gradients(m, self._inputs()) for m in (self.wrapped(), self.model()))
        assert "input" in found, "no gradient reaches the input, so layers before it do not train"
        near = 4 * self.tolerance
        for name in found.keys() & expected.keys():
            message = f"the gradient of {name} differs from a plain model's"
            require_close(found[name], expected[name], message, rtol=near, atol=near)

    def test_trains_no_fewer_values(self) -> None:
        """Names may change, as with parametrized weights; the number of values may not shrink."""
        if not self.learns:
            pytest.skip("it is for inference only")
        found, plain = _values(self.wrapped()), _values(self.model())
        assert found >= plain, f"{found} values are trainable, {plain} without the wrapper"

    def test_adds_no_trainable_weights_for_inference(self) -> None:
        """Untrained adapters would have other random values in each process."""
        if not self.speaks:
            pytest.skip("it is for training only")
        adapters = [key for key in self.wrapped().state_dict() if ".adapters." in key]
        assert not adapters, f"a wrapper for inference adds {', '.join(adapters)}: set used_in"

    def test_a_plain_model_reads_the_saved_weights(self) -> None:
        """It computes the same without the wrapper, so exported weights do not need it."""
        x = self._inputs()
        wrapped, plain = self.wrapped(), self.model()
        state = wrapped.state_dict()
        plain.load_state_dict({k: v for k, v in state.items() if ".adapters." not in k})
        near = self.tolerance
        message = "a plain model with the saved weights computes something else"
        require_close(plain(x), wrapped(x), message, rtol=near, atol=near)

    def test_weights_of_a_plain_model_can_be_read(self) -> None:
        """As when resuming: the wrapper must compute with the loaded weights."""
        x = self._inputs()
        wrapped, other = self.wrapped(), self.model()
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.mul_(0.5)
        wrapped.load_state_dict(other.state_dict(), strict=False)
        near = self.tolerance
        message = (
            "after `load_state_dict` the wrapped model does not compute with the loaded weights"
        )
        require_close(wrapped(x), other(x), message, rtol=near, atol=near)

    def test_train_and_eval_mode_reach_every_module(self) -> None:
        wrapped = self.wrapped()
        for mode in (False, True):
            wrong = [n for n, m in wrapped.train(mode).named_modules() if m.training is not mode]
            assert not wrong, f"train({mode}) does not reach {', '.join(wrong) or 'the model'}"

    def _inputs(self) -> Tensor:
        """Input rows for its first layer."""
        first = next(layer for layer in self.model().modules() if isinstance(layer, nn.Linear))
        width = first.in_features
        return torch.linspace(-1, 1, 16 * width).reshape(16, width)


class Stack(nn.Module):
    """A small backbone: layers in a list, and a norm."""

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
    """Gradients by parameter name, and `input`; parameters without a gradient are left out."""
    x = x.clone().requires_grad_()
    out = model(x)
    (out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum().backward()
    learning = {"input": x, **dict(model.named_parameters())}
    return {name: p.grad for name, p in learning.items() if p.grad is not None}


def _values(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters())
