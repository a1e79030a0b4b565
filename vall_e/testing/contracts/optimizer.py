"""What every optimizer must do."""

from __future__ import annotations

import json
from collections.abc import Iterable

import torch
from torch import nn

from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_equal
from vall_e.training.inference_weights import inference_weights
from vall_e.training.optimizer_state import pack_optimizer, unpack_optimizer


class OptimizerContract:
    """`make` builds the optimizer over named parameters.

    `averages` says that weights keep moving towards an average, whatever the rate.
    """

    steps = 100
    averages = False

    def make(self, parameters: Iterable[tuple[str, nn.Parameter]]) -> torch.optim.Optimizer:
        raise NotImplementedError

    def test_reduces_a_least_squares_loss(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        first = _step(model, optimizer)
        for _ in range(self.steps):
            last = _step(model, optimizer)
        assert last < 0.5 * first, (
            f"the loss went from {first:.3g} to {last:.3g} in {self.steps} steps, not to less "
            "than half"
        )

    def test_resuming_equals_not_stopping(self) -> None:
        through, resumed = _model(), _model()
        optimizer = self.make(through.named_parameters())
        for _ in range(3):
            _step(through, optimizer)
        tensors, values = pack_optimizer(optimizer)
        tensors = {name: tensor.clone() for name, tensor in tensors.items()}
        resumed.load_state_dict(through.state_dict())
        other = self.make(resumed.named_parameters())
        unpack_optimizer(other, tensors, json.loads(json.dumps(values)))
        for _ in range(3):
            _step(through, optimizer)
            _step(resumed, other)
        for name, tensor in through.state_dict().items():
            require_equal(
                tensor,
                resumed.state_dict()[name],
                f"{name} differs after resuming: incomplete state",
            )

    def test_saved_state_is_restored_exactly(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        for _ in range(3):
            _step(model, optimizer)
        tensors, values = pack_optimizer(optimizer)
        other = self.make(model.named_parameters())
        unpack_optimizer(other, dict(tensors), json.loads(json.dumps(values)))
        again, plain = pack_optimizer(other)
        assert json.loads(json.dumps(plain)) == json.loads(json.dumps(values)), (
            "plain values of the state are not restored by `load_state_dict`"
        )
        assert again.keys() == tensors.keys(), "tensors of the state are not restored"
        for name, tensor in tensors.items():
            require_equal(again[name], tensor, f"{name} of the state is not restored exactly")

    def test_switching_to_inference_weights_and_back_changes_nothing(self) -> None:
        model, undisturbed = _model(), _model()
        optimizer = self.make(model.named_parameters())
        other = self.make(undisturbed.named_parameters())
        for _ in range(3):
            with inference_weights(model, optimizer):
                pass
            _step(model, optimizer)
            _step(undisturbed, other)
        for name, tensor in undisturbed.state_dict().items():
            message = (
                f"{name} differs after `eval` and `train`: the training weights are not restored"
            )
            require_equal(tensor, model.state_dict()[name], message)

    def test_a_rate_of_zero_from_the_start_changes_nothing(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        _step(model, optimizer)
        for name, tensor in model.state_dict().items():
            require_equal(tensor, before[name], f"a rate of 0 changed {name}")

    def test_uses_a_changed_learning_rate(self) -> None:
        if self.averages:
            pytest.skip("its weights keep moving towards an average")
        model = _model()
        optimizer = self.make(model.named_parameters())
        _step(model, optimizer)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        _step(model, optimizer)
        for name, tensor in model.state_dict().items():
            require_equal(
                tensor, before[name], f"{name} changed after the rate of the group was set to 0"
            )

    def test_every_parameter_is_trained(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for _ in range(3):
            _step(model, optimizer)
        still = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
        assert still == [], f"parameters that did not change: {', '.join(still)}"

    def test_a_parameter_without_a_gradient_stays_unchanged(self) -> None:
        model = _model()
        unused = nn.Parameter(torch.ones(2, 2))
        optimizer = self.make([*model.named_parameters(), ("unused", unused)])
        for _ in range(2):
            _step(model, optimizer)
        require_equal(unused, torch.ones(2, 2), "a parameter without a gradient changed")

    def test_marked_parameters_do_not_decay(self) -> None:
        """A matrix that is not a linear map has the attribute `no_weight_decay`."""
        marked = nn.Parameter(torch.ones(3, 2))
        setattr(marked, "no_weight_decay", True)  # noqa: B010  torch knows no such attribute
        optimizer = self.make([*_model().named_parameters(), ("rates", marked)])
        for group in optimizer.param_groups:
            if any(parameter is marked for parameter in group["params"]):
                assert not group.get("weight_decay"), "a marked parameter is in a group with decay"
        marked.grad = torch.zeros_like(marked)
        optimizer.step()
        require_equal(marked, torch.ones_like(marked), "a marked parameter decayed")

    def test_a_zero_gradient_moves_no_vector(self) -> None:
        """Only matrices decay, and nothing becomes NaN or infinite."""
        model = _model()
        optimizer = self.make(model.named_parameters())
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for _ in range(2):
            for parameter in model.parameters():
                parameter.grad = torch.zeros_like(parameter)
            optimizer.step()
        for name, parameter in model.named_parameters():
            assert parameter.isfinite().all(), f"{name} is not finite after a gradient of 0"
            assert parameter.ndim > 1 or torch.equal(parameter, before[name]), (
                f"vector {name} changed with a gradient of 0: exclude vectors from weight decay"
            )

    @pytest.mark.parametrize("shape", [(), (1, 1), (3, 1, 4), (2, 3, 4)], ids=str)
    def test_a_parameter_of_any_shape_is_trained(self, shape: tuple[int, ...]) -> None:
        """Gates are scalars, convolutions have three axes, and so have experts in one tensor."""
        parameter = nn.Parameter(torch.full(shape, 0.5))
        optimizer = self.make([*_model().named_parameters(), ("layers.0.part.weight", parameter)])
        for _ in range(3):
            optimizer.zero_grad()
            parameter.square().sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        assert parameter.shape == shape, f"the shape became {tuple(parameter.shape)}"
        assert parameter.isfinite().all(), f"a parameter of shape {shape} is not finite"
        assert (parameter != 0.5).all(), f"a parameter of shape {shape} did not change"

    def test_frozen_parameters_stay(self) -> None:
        model = _model()
        frozen = next(model.parameters()).requires_grad_(False)
        before = frozen.clone()
        optimizer = self.make(model.named_parameters())
        for _ in range(3):
            _step(model, optimizer)
        require_equal(frozen, before, "a frozen parameter changed")


def _model() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def _step(model: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    x = torch.linspace(-1, 1, 48).reshape(12, 4)
    loss = torch.nn.functional.mse_loss(model(x), x.sum(1, keepdim=True))
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return float(loss.detach())
