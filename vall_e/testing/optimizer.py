"""What every optimizer must do."""

from __future__ import annotations

import json
from collections.abc import Iterable

import torch
from torch import nn

from vall_e.training.checkpoint import pack_optimizer, unpack_optimizer


class OptimizerContract:
    """`make` builds the optimizer over named parameters."""

    steps = 100

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

    def test_obeys_a_changed_learning_rate(self) -> None:
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
