"""What cannot learn here is refused while a run is opened, before it has a folder."""

import pytest
import torch

from vall_e.errors import UnavailableError
from vall_e.training.dry_run import dry_run


def test_a_kernel_that_cannot_learn_here_is_refused_before_the_run(bench):
    with pytest.raises(UnavailableError, match="attention kernel 'flex' cannot run this"):
        bench.open(model={"attention": "flex"})
    assert not (bench.folder / "run").exists()


def test_rehearsing_leaves_chance_weights_and_gradients_alone(bench):
    run = bench.open(model={"dropout": 0.5})
    model = run.bundle.model
    chance = torch.get_rng_state()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    dry_run(model, run.engine)
    assert torch.get_rng_state().equal(chance)
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
