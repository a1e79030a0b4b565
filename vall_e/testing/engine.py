"""What every engine must do."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vall_e.interfaces import Engine


class Square(nn.Module):
    """The least that an engine can train: as with ours, `forward` gives a dict with `loss`."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        nn.init.constant_(self.layer.weight, 0.5)
        nn.init.zeros_(self.layer.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"loss": self.layer(x.to(self.layer.weight.device)).square().mean()}


class EngineContract:
    """`make` builds a new engine, which runs on `device`."""

    device = "cpu"

    def make(self) -> Engine:
        raise NotImplementedError

    def prepared(self, lr: float = 0.1) -> tuple[Engine, nn.Module, Square]:
        """The engine, what the loop calls, and the model itself."""
        engine, model = self.make(), Square()
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        called = engine.prepare(model, optimizer, device=self.device, precision="fp32")
        return engine, called, model

    def test_is_an_engine_of_one_rank_among_some(self) -> None:
        engine, _, _ = self.prepared()
        assert isinstance(engine, Engine)
        assert 0 <= engine.rank < engine.world_size

    def test_a_window_of_batches_is_one_batch(self) -> None:
        x = torch.arange(12.0).reshape(4, 3) / 10
        weights = []
        for parts in ([x], [x[:2], x[2:]]):
            engine, called, model = self.prepared()
            for number, part in enumerate(parts):
                with engine.autocast():
                    loss = called(part)["loss"]
                engine.backward(loss / len(parts), last=number == len(parts) - 1)
            engine.step(clip_norm=1e6)
            weights.append(model.layer.weight.detach().cpu().clone())
        torch.testing.assert_close(weights[0], weights[1])

    def test_clips_after_measuring(self) -> None:
        engine, called, model = self.prepared(lr=1.0)
        before = _flat(model)
        engine.backward(called(torch.full((2, 3), 10.0))["loss"], last=True)
        norm = engine.step(clip_norm=0.01)
        assert norm > 1
        moved = float((_flat(model) - before).norm())
        assert math.isclose(moved, 0.01, rel_tol=1e-3)

    def test_a_step_leaves_no_gradient_behind(self) -> None:
        engine, called, model = self.prepared()
        engine.backward(called(torch.ones(2, 3))["loss"], last=True)
        engine.step(clip_norm=1.0)
        assert all(p.grad is None or not p.grad.any() for p in model.parameters())

    def test_gradients_that_are_no_numbers_change_nothing(self) -> None:
        engine, called, model = self.prepared()
        before = _flat(model)
        engine.backward(called(torch.full((2, 3), math.nan))["loss"], last=True)
        assert not math.isfinite(engine.step(clip_norm=1.0))
        assert torch.equal(_flat(model), before)

    def test_state_comes_back(self) -> None:
        engine, _, _ = self.prepared()
        state = engine.state_dict()
        other, _, _ = self.prepared()
        other.load_state_dict(state)
        for name, tensor in other.state_dict().items():
            assert torch.equal(tensor, state[name]), name


def _flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().cpu().flatten() for p in model.parameters()])
