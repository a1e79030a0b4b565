import math

import pytest
import torch

from vall_e.errors import UnavailableError
from vall_e.testing import (
    EngineContract,
    OptimizerContract,
    ScheduleContract,
    WrapperContract,
)
from vall_e.training.engines.components import build_local
from vall_e.training.engines.local import LocalEngine
from vall_e.training.engines.options import LocalEngineConfig
from vall_e.training.optimizers.components import build_adamw, build_sgd
from vall_e.training.optimizers.options import AdamWConfig, SgdConfig
from vall_e.training.schedules.components import build_constant, build_cosine, build_warmup
from vall_e.training.schedules.options import ConstantConfig, CosineConfig, WarmupConfig
from vall_e.training.wrappers.components import build_compile
from vall_e.training.wrappers.options import CompileConfig


class TestAdamW(OptimizerContract):
    def make(self, parameters):
        return build_adamw(AdamWConfig(lr=1e-2), parameters=parameters)


class TestSgd(OptimizerContract):
    def make(self, parameters):
        return build_sgd(SgdConfig(), parameters=parameters)


class TestConstant(ScheduleContract):
    def make(self, *, max_steps):
        return build_constant(ConstantConfig(), max_steps=max_steps)


class TestWarmup(ScheduleContract):
    def make(self, *, max_steps):
        return build_warmup(WarmupConfig(), max_steps=max_steps)


class TestCosine(ScheduleContract):
    def make(self, *, max_steps):
        return build_cosine(CosineConfig(), max_steps=max_steps)


class TestLocal(EngineContract):
    def make(self):
        return build_local(LocalEngineConfig())


@pytest.mark.slow
class TestLocalInSeveralProcesses(EngineContract):
    several_processes = True

    def make(self):
        return build_local(LocalEngineConfig())


@pytest.mark.slow
class TestLocalSharded(EngineContract):
    several_processes = True

    def make(self):
        return build_local(LocalEngineConfig(shard="full"))


class TestCompileSwitchedOff(WrapperContract):
    def make(self):
        return build_compile(CompileConfig(enabled=False))


@pytest.mark.slow
class TestCompile(WrapperContract):
    tolerance = 1e-6

    def make(self):
        return build_compile(CompileConfig())


def test_weight_decay_is_of_matrices_only():
    model = torch.nn.Linear(3, 2)
    matrices, vectors = build_adamw(
        AdamWConfig(weight_decay=0.3), parameters=model.named_parameters()
    ).param_groups
    assert [p.ndim for p in matrices["params"]] == [2]
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.3, 0.0)


def test_cosine_rises_falls_and_stays():
    factor = build_cosine(CosineConfig(warmup_steps=10, final=0.1), max_steps=110)
    assert factor(4) == pytest.approx(0.5)
    assert factor(9) == 1
    assert factor(10) == 1
    assert factor(109) == pytest.approx(0.1)
    assert factor(500) == pytest.approx(0.1)
    assert all(factor(step) > factor(step + 1) for step in range(10, 109))


def test_warmup_of_no_steps_is_none():
    assert build_warmup(WarmupConfig(warmup_steps=0), max_steps=9)(0) == 1


def test_fp16_leaves_out_a_step_that_overflows_and_lowers_the_scale():
    engine, model = LocalEngine(), torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    engine.prepare(model, optimizer, device="cpu", precision="fp16")
    before = model.weight.clone()
    scale = engine.state_dict()["scale"]
    engine.backward(model(torch.full((1, 2), math.inf)).sum())
    assert not math.isfinite(engine.step(clip_norm=1.0))
    assert torch.equal(model.weight, before)
    assert engine.state_dict()["scale"] < scale


def test_fp16_measures_and_clips_unscaled_gradients():
    engine, model = LocalEngine(), torch.nn.Linear(2, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    engine.prepare(model, optimizer, device="cpu", precision="fp16")
    before = model.weight.detach().clone()
    engine.backward(model(torch.tensor([[3.0, 4.0]])).sum())
    assert engine.step(clip_norm=0.5) == pytest.approx(5)
    moved = model.weight.detach() - before
    torch.testing.assert_close(moved, torch.tensor([[-0.3, -0.4]]))


def test_a_device_that_is_not_there_is_an_instruction():
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 1).parameters())
    with pytest.raises(UnavailableError, match=r"training\.device: cuda:99") as caught:
        LocalEngine().prepare(torch.nn.Linear(2, 1), optimizer, device="cuda:99", precision="fp32")
    assert caught.value.hint == "set training.device to auto or cpu"
