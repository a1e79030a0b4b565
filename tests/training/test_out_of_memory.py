"""A batch that does not fit into memory is split or skipped, or ends the run with a reason."""

import attrs
import pytest
import torch
from torch import nn

from vall_e.errors import TrainingError
from vall_e.training.loop import update
from vall_e.training.out_of_memory import is_out_of_memory

SGD = {"name": "sgd", "lr": 0.01}
"""Adam would make a full step of a gradient that is only rounding."""


class SmallMemory(nn.Module):
    """An objective that only has room for a few samples, in the forward or the backward pass."""

    def __init__(self, objective, room, *, backward=False):
        super().__init__()
        self.objective, self.room, self.backward = objective, room, backward

    def forward(self, examples, step=0):
        losses = self.objective(examples, step=step)
        if len(examples) <= self.room:
            return losses
        if not self.backward:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return {**losses, "loss": Fails.apply(losses["loss"])}


class Fails(torch.autograd.Function):
    @staticmethod
    def forward(ctx, loss):
        return loss.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise torch.OutOfMemoryError("CUDA out of memory.")


def small(run, room, **options):
    return attrs.evolve(run, objective=SmallMemory(run.objective, room, **options))


def weights(run):
    return [parameter.detach().clone() for parameter in run.bundle.model.parameters()]


@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_halves_give_the_same_step(bench, caplog, accumulation, backward):
    options = {"model": {"dropout": 0}, "accumulation": accumulation, "optimizer": SGD}
    whole, split = bench.open("whole", **options), bench.open("split", **options)
    expected = update(whole, iter(whole.loader))
    found = update(small(split, 2, backward=backward), iter(split.loader))
    assert found["oom"] > 0
    assert "ran out of memory at a batch of" in caplog.text
    for name in ("loss", "nll.ar", "grad_norm", "samples", "tokens"):
        assert found[name] == pytest.approx(expected[name], rel=1e-4), name
    torch.testing.assert_close(weights(split), weights(whole), rtol=1e-4, atol=1e-6)


def test_a_skipped_batch_leaves_the_rest_of_the_step(bench):
    run = bench.open(on_oom="skip", accumulation=2, model={"dropout": 0})
    twin = bench.open("twin", model={"dropout": 0})
    large = next(iter(run.loader))
    lone = attrs.evolve(large, examples=large.examples[:1], ids=large.ids[:1])
    found = update(small(run, 1), iter([large, lone]))
    expected = update(twin, iter([lone]))
    assert found["oom"] == 1
    assert found["grad_norm"] == pytest.approx(expected["grad_norm"], rel=1e-4)


def test_an_utterance_that_does_not_fit_is_named(bench):
    run = bench.open()
    batch = next(iter(run.loader))
    before = weights(run)
    with pytest.raises(TrainingError, match="nothing smaller to try: ") as caught:
        update(small(run, 0), iter([batch]))
    assert batch.ids[0] in caught.value.message
    assert "data.seconds" in caught.value.hint
    torch.testing.assert_close(weights(run), before, rtol=0, atol=0)


def test_a_run_may_be_made_to_stop(bench):
    run = bench.open(on_oom="stop")
    with pytest.raises(TrainingError, match="step 1 ran out of memory") as caught:
        update(small(run, 2), iter(run.loader))
    assert "data.batch_seconds" in caught.value.hint


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            True,
        ),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
    ids=repr,
)
def test_other_errors_are_not_taken_for_it(exc, expected):
    assert is_out_of_memory(exc) is expected
