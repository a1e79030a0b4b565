"""The contracts of optimizers, schedules and engines refuse what only looks like one."""

import math
import os
from contextlib import nullcontext
from copy import deepcopy

import pytest
import torch

from vall_e.testing import (
    EngineContract,
    OptimizerContract,
    ScheduleContract,
    WrapperContract,
)
from vall_e.training.engines.local import LocalEngine
from vall_e.training.ranks import Ranks


class Climbs(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.neg_()
        super().step()


class HasARateOfItsOwn(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            group["lr"] = 0.05
        super().step()


class ForgetsItsState(torch.optim.SGD):
    def __init__(self, parameters, **options):
        super().__init__(parameters, **options)
        self.steps = 0

    def step(self, closure=None):
        self.steps += 1
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.div_(self.steps)
        super().step()


class NeedsAllGradients(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.add_(p.grad, alpha=-group["lr"])


class MovesWithoutARate(torch.optim.SGD):
    def step(self, closure=None):
        super().step()
        for group in self.param_groups:
            for p in group["params"]:
                p.data.mul_(0.999)


class LosesWhatItLearns(torch.optim.SGD):
    """It swaps averages in, and speaks of others afterwards."""

    turned = 0

    def eval(self):
        self.turned += 1

    def train(self):
        for group in self.param_groups:
            group["lr"] *= 0.5


class SavesHalfItsState(torch.optim.SGD):
    def state_dict(self):
        found = super().state_dict()
        return {**found, "state": {k: v for k, v in found["state"].items() if k % 2}}

    def load_state_dict(self, state_dict):
        pass


class DecaysInSecret(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.add_(p.data, alpha=0.01)
        super().step()


class DividesByTheNorm(torch.optim.SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.div_(p.grad.norm())
        super().step()


class KnowsMatricesOnly(torch.optim.SGD):
    """And vectors."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.ndim != 1:
                    p.grad.copy_(p.grad @ torch.eye(p.shape[1]))
        super().step()


def _of(kind, keep=lambda name: True):
    def make(parameters):
        return kind([p for name, p in parameters if keep(name)], lr=0.05)

    return make


def _decaying(parameters):
    return torch.optim.SGD([p for _, p in parameters], lr=0.05, weight_decay=0.1)


def _thawing(parameters):
    for _, parameter in (parameters := list(parameters)):
        parameter.requires_grad_()
    return torch.optim.SGD([p for _, p in parameters], lr=0.05)


def _with_momentum(kind):
    return lambda parameters: kind([p for _, p in parameters], lr=0.05, momentum=0.9)


@pytest.mark.parametrize(
    ("make", "refused_by"),
    [
        (_of(Climbs), "test_reduces_a_least_squares_loss"),
        (_of(HasARateOfItsOwn), "test_uses_a_changed_learning_rate"),
        (_of(ForgetsItsState), "test_resuming_equals_not_stopping"),
        (_of(MovesWithoutARate), "test_a_rate_of_zero_from_the_start_changes_nothing"),
        (_of(LosesWhatItLearns), "test_switching_to_inference_weights_and_back_changes_nothing"),
        (_with_momentum(SavesHalfItsState), "test_saved_state_is_restored_exactly"),
        (_decaying, "test_marked_parameters_do_not_decay"),
        (_of(DecaysInSecret), "test_marked_parameters_do_not_decay"),
        (_decaying, "test_a_zero_gradient_moves_no_vector"),
        (_of(DividesByTheNorm), "test_a_zero_gradient_moves_no_vector"),
        (_of(KnowsMatricesOnly), "test_a_parameter_of_any_shape_is_trained"),
        (_thawing, "test_frozen_parameters_stay"),
        (_of(NeedsAllGradients), "test_a_parameter_without_a_gradient_stays_unchanged"),
        (_of(torch.optim.SGD, lambda name: "bias" not in name), "test_every_parameter_is_trained"),
    ],
)
def test_a_broken_optimizer_is_refused(judge, make, refused_by):
    assert refused_by in judge(OptimizerContract, make, only=refused_by).failed


def test_a_sound_optimizer_passes(judge):
    assert not judge(OptimizerContract, _of(torch.optim.SGD)).failed


def _stateful(max_steps):
    calls = iter(range(10**9))
    return lambda step: 1 / (1 + next(calls))


@pytest.mark.parametrize(
    ("make", "refused_by"),
    [
        (lambda max_steps: lambda step: 2.0, "test_factors_are_numbers_from_0_to_1"),
        (
            lambda max_steps: lambda step: 1.0 if step < 6 else math.nan,
            "test_factors_are_numbers_from_0_to_1",
        ),
        (lambda max_steps: lambda step: step / max_steps / 2, "test_every_step_before_the_last"),
        (
            lambda max_steps: lambda step: max(0.0, 1 - 2 * step / max_steps),
            "test_every_step_before_the_last",
        ),
        (lambda max_steps: lambda step: 0.5, "test_the_full_rate_is_reached"),
        (_stateful, "test_the_factor_depends_only_on_the_step"),
    ],
)
def test_a_broken_schedule_is_refused(judge, make, refused_by):
    def build(*, max_steps):
        return make(max_steps)

    assert judge(ScheduleContract, build, only=refused_by).failed


class Holding(torch.nn.Module):
    """A model behind a module that takes its names."""

    def __init__(self, model):
        super().__init__()
        self._modules = model._modules
        object.__setattr__(self, "model", model)

    def forward(self, x):
        return self.model(x)


class Deaf(Holding):
    """It computes with a copy."""

    def __init__(self, model):
        super().__init__(model)
        object.__setattr__(self, "model", deepcopy(model))


class Halving(Holding):
    """It computes with other weights than it saves."""

    def forward(self, x):
        return self.model(x) * 0.5


class Awake(Holding):
    def train(self, mode=True):
        return super().train(True)


def _renaming(model):
    return torch.nn.ModuleDict({"inner": model})


def _freezing(model):
    """Holds a layer in buffers: of the same names, and deaf to gradients."""
    weight = model.layers[0].weight.detach()
    del model.layers[0].weight
    model.layers[0].register_buffer("weight", weight)
    return model


def _adapting(model):
    model.layers[0].adapters = torch.nn.ModuleDict({"down": torch.nn.Linear(16, 1, bias=False)})
    return model


def _cutting(model):
    model.register_forward_hook(lambda module, args, out: out.detach().requires_grad_())
    return model


def _doubling(model):
    """Sound in its outputs alone."""
    model.layers[0].weight.register_hook(lambda gradient: 2 * gradient)
    return model


def _closing(model):
    model.register_forward_pre_hook(lambda module, args: tuple(x.detach() for x in args))
    return model


@pytest.mark.parametrize(
    ("wrap", "refused_by"),
    [
        (Halving, "test_outputs_do_not_change"),
        (Halving, "test_a_plain_model_reads_the_saved_weights"),
        (Deaf, "test_weights_of_a_plain_model_can_be_read"),
        (Awake, "test_train_and_eval_mode_reach_every_module"),
        (_renaming, "test_state_keys_do_not_change"),
        (_cutting, "test_gradients_flow"),
        (_doubling, "test_gradients_are_those_of_a_plain_model"),
        (_closing, "test_gradients_are_those_of_a_plain_model"),
        (_freezing, "test_trains_no_fewer_values"),
        (_adapting, "test_adds_no_trainable_weights_for_inference"),
    ],
)
def test_a_broken_wrapper_is_refused(judge, wrap, refused_by):
    assert refused_by in judge(WrapperContract, lambda: wrap, only=refused_by).failed


def test_a_sound_wrapper_passes(judge):
    assert not judge(WrapperContract, lambda: Holding).failed


class CountsTheLastBatchOnly(LocalEngine):
    def accumulate(self, *, last):
        self.last = last
        return super().accumulate(last=last)

    def backward(self, loss):
        if getattr(self, "last", True):
            super().backward(loss)


class KeepsGradients(LocalEngine):
    def step(self, *, clip_norm):
        gradients = [p.grad.clone() for p in self._parameters()]
        norm = super().step(clip_norm=clip_norm)
        for p, gradient in zip(self._parameters(), gradients, strict=True):
            p.grad = gradient
        return norm

    def _parameters(self):
        return [p for group in self.kept.param_groups for p in group["params"]]

    def prepare(self, model, optimizer, **options):
        self.kept = optimizer
        return super().prepare(model, optimizer, **options)


class NeverClips(LocalEngine):
    def step(self, *, clip_norm):
        return super().step(clip_norm=1e9)


class MeasuresAfterClipping(LocalEngine):
    def step(self, *, clip_norm):
        return min(clip_norm, super().step(clip_norm=clip_norm))


class StepsTwiceAsFar(KeepsGradients):
    """And does not say so."""

    def step(self, *, clip_norm):
        for p in self._parameters():
            p.grad.mul_(2)
        return LocalEngine.step(self, clip_norm=clip_norm) / 2


class IsItsOwnFourth(LocalEngine):
    def __init__(self):
        super().__init__()
        self.rank = 3


class SaysAnotherPlace(LocalEngine):
    def prepare(self, model, optimizer, **options):
        prepared = super().prepare(model, optimizer, **options)
        self.device = torch.device("meta")
        return prepared


class StepsWhateverComes(KeepsGradients):
    def step(self, *, clip_norm):
        for p in self._parameters():
            p.grad.nan_to_num_(nan=1.0)
        return super().step(clip_norm=clip_norm)


class IgnoresPrecision(LocalEngine):
    def autocast(self):
        return nullcontext()


class ForgetsItsScale(LocalEngine):
    def load_state_dict(self, state):
        pass


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (CountsTheLastBatchOnly, "test_accumulated_batches_equal_one_batch"),
        (KeepsGradients, "test_a_step_leaves_no_gradient_behind"),
        (NeverClips, "test_returns_the_norm_before_clipping"),
        (MeasuresAfterClipping, "test_returns_the_norm_before_clipping"),
        (StepsTwiceAsFar, "test_a_step_is_that_of_the_optimizer"),
        (IsItsOwnFourth, "test_has_a_valid_rank"),
        (SaysAnotherPlace, "test_the_model_is_where_the_engine_says"),
        (StepsWhateverComes, "test_gradients_that_are_not_finite_change_nothing"),
        (IgnoresPrecision, "test_products_have_the_requested_precision"),
        (ForgetsItsScale, "test_state_is_restored"),
    ],
)
def test_a_broken_engine_is_refused(judge, broken, refused_by):
    assert refused_by in judge(EngineContract, broken, only=refused_by).failed


def test_a_sound_engine_passes(judge):
    assert not judge(EngineContract, LocalEngine).failed


class CountsOwnBatchesOnly(LocalEngine):
    """Each rank trains alone, as it would without an exchange of gradients."""

    def prepare(self, model, optimizer, **options):
        super().prepare(model, optimizer, **options)
        self.world_size, self.called = 1, model
        found = super().prepare(model, optimizer, **options)
        self.world_size = 2
        return found


class AloneContract(EngineContract):
    several_processes = True

    def make(self):
        return CountsOwnBatchesOnly(ranks=Ranks.of(os.environ))


@pytest.mark.slow
@pytest.mark.parametrize("law", ["test_ranks_train_as_one_process_would"])
def test_ranks_that_train_alone_are_refused(law):
    with pytest.raises(AssertionError, match="are not those of one process with the batches of"):
        getattr(AloneContract(), law)()
