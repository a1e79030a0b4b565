"""What every engine must do."""

from __future__ import annotations

import inspect
import math

import torch
from torch import Tensor, nn

from vall_e.errors import UnavailableError
from vall_e.interfaces.training import Engine
from vall_e.testing.contracts.engine_ranks import one_process, run_ranks
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_close, require_equal


class Square(nn.Module):
    """The smallest model that an engine can train: `forward` returns a dict with `loss`."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        nn.init.constant_(self.layer.weight, 0.5)
        nn.init.zeros_(self.layer.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        product = self.layer(x.to(self.layer.weight.device))
        self.dtype = product.dtype
        return {"loss": product.float().square().mean()}


class EngineContract:
    """`make` builds a new engine, which runs on `device`.

    `several_processes`: whether it trains in as many processes as torchrun starts; then the test
    starts two, which import this class from its file.
    """

    device = "cpu"
    several_processes = False

    def make(self) -> Engine:
        raise NotImplementedError

    def prepared(
        self, lr: float = 0.1, precision: str = "fp32"
    ) -> tuple[Engine, nn.Module, Square]:
        """The engine, what the loop calls, and the model itself."""
        engine, model = self.make(), Square()
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        try:
            called = engine.prepare(model, optimizer, device=self.device, precision=precision)
        except UnavailableError as exc:
            pytest.skip(exc.message)
        return engine, called, model

    def test_has_a_valid_rank(self) -> None:
        engine, _, _ = self.prepared()
        assert isinstance(engine, Engine), "it lacks a method of `vall_e.plugin.Engine`"
        assert 0 <= engine.rank < engine.world_size, (
            f"rank is {engine.rank} of world_size {engine.world_size}"
        )

    def test_accumulated_batches_equal_one_batch(self) -> None:
        x = torch.arange(12.0).reshape(4, 3) / 10
        weights = []
        for parts in ([x], [x[:2], x[2:]]):
            engine, called, model = self.prepared()
            for number, part in enumerate(parts):
                with engine.accumulate(last=number == len(parts) - 1):
                    with engine.autocast():
                        loss = called(part)["loss"]
                    engine.backward(loss / len(parts))
            engine.step(clip_norm=1e6)
            weights.append(model.layer.weight.detach().cpu().clone())
        message = (
            "two half batches accumulated differ from one whole batch: zero gradients in `step`"
        )
        require_close(weights[0], weights[1], message, rtol=1.3e-6)

    def test_a_step_is_that_of_the_optimizer(self) -> None:
        """The gradient by hand: each row outputs 3; it is 2 * 3 / 2 times the inputs."""
        engine, called, model = self.prepared(lr=0.1)
        x = torch.tensor([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]])
        engine.backward(called(x)["loss"])
        norm = engine.step(clip_norm=1e6)
        by_weight = torch.tensor([3.0 + 6.0, 6.0 + 6.0, 9.0 + 6.0])
        by_bias = torch.tensor([6.0])
        gradient = torch.cat([by_weight, by_bias])
        assert math.isclose(norm, float(gradient.norm()), rel_tol=1e-4), (
            f"`step` returned a gradient norm of {norm}, it is {float(gradient.norm())}"
        )
        require_close(
            _flat(model),
            torch.tensor([0.5, 0.5, 0.5, 0.0]) - 0.1 * gradient,
            "weights after `step` are not weights - rate * gradient",
            rtol=1.3e-6,
        )

    def test_the_model_is_where_the_engine_says(self) -> None:
        engine, _, model = self.prepared()
        devices = {p.device.type for p in model.parameters()}
        assert devices == {engine.device.type}, (
            f"weights are on {devices}, device is {engine.device}"
        )

    @pytest.mark.parametrize(
        ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
    )
    def test_products_have_the_requested_precision(
        self, precision: str, dtype: torch.dtype
    ) -> None:
        engine, called, model = self.prepared(precision=precision)
        with engine.autocast():
            called(torch.ones(2, 3))
        assert model.dtype == dtype, f"in {precision}, products are {model.dtype}, not {dtype}"

    def test_returns_the_norm_before_clipping(self) -> None:
        engine, called, model = self.prepared(lr=1.0)
        before = _flat(model)
        engine.backward(called(torch.full((2, 3), 10.0))["loss"])
        norm = engine.step(clip_norm=0.01)
        assert norm > 1, f"`step` returned a norm of {norm}: it must be measured before clipping"
        moved = float((_flat(model) - before).norm())
        assert math.isclose(moved, 0.01, rel_tol=1e-3), (
            f"clipped to a norm of 0.01 at rate 1, the weights moved by {moved}"
        )

    def test_a_step_leaves_no_gradient_behind(self) -> None:
        engine, called, model = self.prepared()
        engine.backward(called(torch.ones(2, 3))["loss"])
        engine.step(clip_norm=1.0)
        assert all(p.grad is None or not p.grad.any() for p in model.parameters()), (
            "gradients are left after `step`: call zero_grad"
        )

    def test_gradients_that_are_not_finite_change_nothing(self) -> None:
        engine, called, model = self.prepared()
        before = _flat(model)
        engine.backward(called(torch.full((2, 3), math.nan))["loss"])
        norm = engine.step(clip_norm=1.0)
        assert not math.isfinite(norm), f"the norm of NaN gradients is returned as {norm}"
        require_equal(_flat(model), before, "gradients that are not finite changed the weights")

    @pytest.mark.parametrize("precision", ["fp32", "fp16"])
    def test_state_is_restored(self, precision: str) -> None:
        engine, called, _ = self.prepared(precision=precision)
        engine.backward(called(torch.full((2, 3), math.nan))["loss"])
        engine.step(clip_norm=1.0)  # lowers the loss scale
        state = {name: tensor.clone() for name, tensor in engine.state_dict().items()}
        other, _, _ = self.prepared(precision=precision)
        other.load_state_dict(state)
        again = other.state_dict()
        assert set(again) == set(state), f"restored state has {set(again)}, saved was {set(state)}"
        for name, tensor in again.items():
            require_equal(tensor, state[name], f"{name} is not restored by `load_state_dict`")

    def test_ranks_train_as_one_process_would(self) -> None:
        if not self.several_processes:
            pytest.skip("it trains in one process")
        ranks = run_ranks(inspect.getfile(type(self)), type(self).__qualname__)
        expected = one_process()
        for number, rank in enumerate(ranks):
            assert (rank["rank"], rank["world_size"]) == (number, len(ranks)), (
                f"process {number} of {len(ranks)} is rank {rank['rank']} of {rank['world_size']}"
            )
            require_close(
                torch.tensor(rank["weights"]),
                torch.tensor(expected["weights"]),
                f"weights of rank {number} are not those of one process with the batches of all "
                "ranks: gradients are the sum over the ranks, clipped by their common norm, and a "
                "rank may leave weights unused",
            )
            assert math.isclose(rank["norm"], expected["norm"], rel_tol=1e-4), (
                f"`step` returned a norm of {rank['norm']} on rank {number}, "
                f"that of all gradients is {expected['norm']}"
            )
            assert not math.isfinite(float(rank["norm_of_nan"])), (
                f"one rank had NaN gradients, rank {number} was told a norm of "
                f"{rank['norm_of_nan']}"
            )
            require_equal(
                torch.tensor(rank["weights_after_nan"]),
                torch.tensor(rank["weights"]),
                f"NaN gradients of one rank changed the weights of rank {number}",
            )
            values = [{"from": each, "nothing": None} for each in range(len(ranks))]
            assert rank["gathered"] == values, (
                f"`gather` returned {rank['gathered']} on rank {number}, not {values}"
            )


def _flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().cpu().flatten() for p in model.parameters()])
