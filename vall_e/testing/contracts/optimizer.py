"""What every optimizer must do."""

from __future__ import annotations

import json
from collections.abc import Iterable

import torch
from torch import nn

from vall_e.testing.contracts.pytest_words import pytest
from vall_e.training.checkpoint import pack_optimizer, unpack_optimizer
from vall_e.training.inference_weights import inference_weights


class OptimizerContract:
    """`make` builds the optimizer over named parameters.

    `averages` says that weights go on moving towards an average, whatever the rate.
    """

    steps = 100
    averages = False

    def make(self, parameters: Iterable[tuple[str, nn.Parameter]]) -> torch.optim.Optimizer:
        raise NotImplementedError

    def test_comes_nearer_to_the_least_square(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        first = _step(model, optimizer)
        for _ in range(self.steps):
            last = _step(model, optimizer)
        assert last < 0.5 * first

    def test_resuming_is_as_going_on(self) -> None:
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
            assert torch.equal(tensor, resumed.state_dict()[name]), name

    def test_what_is_saved_comes_back_as_it_was(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        for _ in range(3):
            _step(model, optimizer)
        tensors, values = pack_optimizer(optimizer)
        other = self.make(model.named_parameters())
        unpack_optimizer(other, dict(tensors), json.loads(json.dumps(values)))
        again, plain = pack_optimizer(other)
        assert json.loads(json.dumps(plain)) == json.loads(json.dumps(values))
        assert again.keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert torch.equal(again[name], tensor), name

    def test_weights_to_speak_with_come_and_go(self) -> None:
        model, undisturbed = _model(), _model()
        optimizer = self.make(model.named_parameters())
        other = self.make(undisturbed.named_parameters())
        for _ in range(3):
            with inference_weights(model, optimizer):
                pass
            _step(model, optimizer)
            _step(undisturbed, other)
        for name, tensor in undisturbed.state_dict().items():
            assert torch.equal(tensor, model.state_dict()[name]), name

    def test_a_rate_of_zero_from_the_start_changes_nothing(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        _step(model, optimizer)
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, before[name]), name

    def test_obeys_a_changed_learning_rate(self) -> None:
        if self.averages:
            pytest.skip("the weights go on moving towards an average")
        model = _model()
        optimizer = self.make(model.named_parameters())
        _step(model, optimizer)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        _step(model, optimizer)
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, before[name]), name

    def test_every_parameter_is_trained(self) -> None:
        model = _model()
        optimizer = self.make(model.named_parameters())
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for _ in range(3):
            _step(model, optimizer)
        still = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
        assert still == []

    def test_a_parameter_without_a_gradient_is_no_trouble(self) -> None:
        model = _model()
        unused = nn.Parameter(torch.ones(2, 2))
        optimizer = self.make([*model.named_parameters(), ("unused", unused)])
        for _ in range(2):
            _step(model, optimizer)
        assert torch.equal(unused, torch.ones(2, 2))

    def test_what_is_marked_does_not_decay(self) -> None:
        """A matrix whose numbers are no weights of a sum has the attribute `no_weight_decay`."""
        marked = nn.Parameter(torch.ones(3, 2))
        setattr(marked, "no_weight_decay", True)  # noqa: B010  torch knows no such attribute
        optimizer = self.make([*_model().named_parameters(), ("rates", marked)])
        for group in optimizer.param_groups:
            if any(parameter is marked for parameter in group["params"]):
                assert not group.get("weight_decay")
        marked.grad = torch.zeros_like(marked)
        optimizer.step()
        assert torch.equal(marked, torch.ones_like(marked))

    def test_a_gradient_of_zero_moves_no_vector(self) -> None:
        """Only matrices decay; and none of them becomes something that is no number."""
        model = _model()
        optimizer = self.make(model.named_parameters())
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for _ in range(2):
            for parameter in model.parameters():
                parameter.grad = torch.zeros_like(parameter)
            optimizer.step()
        for name, parameter in model.named_parameters():
            assert parameter.isfinite().all(), name
            assert parameter.ndim > 1 or torch.equal(parameter, before[name]), name

    @pytest.mark.parametrize("shape", [(), (1, 1), (3, 1, 4), (2, 3, 4)], ids=str)
    def test_a_parameter_of_any_shape_is_trained(self, shape: tuple[int, ...]) -> None:
        """A gate is a number, a convolution has three sides, and so have experts in one tensor."""
        parameter = nn.Parameter(torch.full(shape, 0.5))
        optimizer = self.make([*_model().named_parameters(), ("layers.0.part.weight", parameter)])
        for _ in range(3):
            optimizer.zero_grad()
            parameter.square().sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        assert parameter.shape == shape
        assert parameter.isfinite().all()
        assert (parameter != 0.5).all()

    def test_frozen_parameters_stay(self) -> None:
        model = _model()
        frozen = next(model.parameters()).requires_grad_(False)
        before = frozen.clone()
        optimizer = self.make(model.named_parameters())
        for _ in range(3):
            _step(model, optimizer)
        assert torch.equal(frozen, before)


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
