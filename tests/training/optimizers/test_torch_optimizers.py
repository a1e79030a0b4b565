"""Every optimizer keeps the contract, and a run that was resumed with it is the same run."""

import importlib.util
import json

import pytest
import torch
from torch import nn

from vall_e.errors import ConfigError, TrainingError, UnavailableError
from vall_e.testing import OptimizerContract
from vall_e.training.optimizer_state import pack_optimizer, unpack_optimizer
from vall_e.training.optimizers.components import (
    build_adafactor,
    build_adagrad,
    build_adamw_8bit,
    build_dadaptation,
    build_muon,
    build_prodigy,
    build_schedule_free_adamw,
    build_schedule_free_sgd,
)
from vall_e.training.optimizers.options import (
    AdafactorConfig,
    AdagradConfig,
    AdamW8bitConfig,
    DAdaptationConfig,
    MuonConfig,
    ProdigyConfig,
    ScheduleFreeAdamWConfig,
    ScheduleFreeSgdConfig,
)
from vall_e.training.optional_imports import package


def needs(name):
    return pytest.mark.skipif(not importlib.util.find_spec(name), reason=f"without {name}")


class TestAdagrad(OptimizerContract):
    def make(self, parameters):
        return build_adagrad(AdagradConfig(lr=0.05), parameters=parameters)


class TestAdafactor(OptimizerContract):
    def make(self, parameters):
        return build_adafactor(AdafactorConfig(lr=0.05), parameters=parameters)


class TestMuon(OptimizerContract):
    def make(self, parameters):
        return build_muon(MuonConfig(lr=0.05), parameters=parameters)


@needs("prodigyopt")
class TestProdigy(OptimizerContract):
    steps = 200

    def make(self, parameters):
        return build_prodigy(ProdigyConfig(), parameters=parameters)


@needs("dadaptation")
class TestDAdaptation(OptimizerContract):
    steps = 400

    def make(self, parameters):
        return build_dadaptation(DAdaptationConfig(), parameters=parameters)


@needs("schedulefree")
class TestScheduleFreeAdamW(OptimizerContract):
    averages = True

    def make(self, parameters):
        config = ScheduleFreeAdamWConfig(lr=0.02, warmup_steps=2)
        return build_schedule_free_adamw(config, parameters=parameters)


@needs("schedulefree")
class TestScheduleFreeSgd(OptimizerContract):
    averages = True

    def make(self, parameters):
        config = ScheduleFreeSgdConfig(lr=0.5, warmup_steps=2)
        return build_schedule_free_sgd(config, parameters=parameters)


@needs("bitsandbytes")
@pytest.mark.filterwarnings("ignore")
class TestAdamW8bit(OptimizerContract):
    def make(self, parameters):
        return build_adamw_8bit(AdamW8bitConfig(lr=0.01, smallest=1), parameters=parameters)


OPTIMIZERS = [
    {"name": "adagrad"},
    {"name": "adafactor"},
    {"name": "muon"},
    pytest.param({"name": "prodigy"}, marks=needs("prodigyopt")),
    pytest.param({"name": "dadaptation"}, marks=needs("dadaptation")),
    pytest.param({"name": "schedule-free-adamw", "warmup_steps": 2}, marks=needs("schedulefree")),
    pytest.param(
        {"name": "schedule-free-sgd", "lr": 0.1, "warmup_steps": 2}, marks=needs("schedulefree")
    ),
    pytest.param(
        {"name": "adamw-8bit", "smallest": 16},
        marks=[needs("bitsandbytes"), pytest.mark.filterwarnings("ignore")],
    ),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda raw: raw["name"])
def test_a_resumed_run_is_the_uninterrupted_one(bench, optimizer):
    """Validation and a checkpoint in the midst of it change nothing either."""
    through = bench.train("through", optimizer=optimizer, max_steps=4)
    bench.train("parts", optimizer=optimizer, max_steps=4, evaluate_every=1, commands="quit@2")
    parts = bench.train("parts", optimizer=optimizer, max_steps=4, resume=True)
    weights = parts.bundle.model.state_dict()
    for name, tensor in through.bundle.model.state_dict().items():
        assert tensor.equal(weights[name]), name
    ours, theirs = (pack_optimizer(run.optimizer)[0] for run in (through, parts))
    assert all(tensor.equal(theirs[name]) for name, tensor in ours.items())


@needs("schedulefree")
def test_what_is_saved_is_the_average_that_was_validated(bench):
    optimizer = {"name": "schedule-free-adamw", "lr": 0.02, "warmup_steps": 0}
    run = bench.train(optimizer=optimizer, max_steps=4, evaluate_every=4)
    learnt = {name: p.clone() for name, p in run.bundle.model.named_parameters()}
    found = run.progress.validation
    again = bench.open(
        "other", optimizer=optimizer, start_from=str(bench.folder / "run"), max_steps=4
    )
    assert not all(p.equal(learnt[n]) for n, p in again.bundle.model.named_parameters())
    from vall_e.training.loop import validate

    validated = validate(again)
    assert {name: validated[name] for name in found} == pytest.approx(found)


def test_muon_takes_the_matrices_of_the_backbone():
    model = nn.ModuleDict({"embedding": nn.Embedding(3, 4), "backbone": nn.Linear(4, 4)})
    together = build_muon(MuonConfig(), parameters=model.named_parameters())
    taken = {type(part).__name__: part.param_groups for part in together.parts}
    assert taken["Muon"][0]["params"] == [model["backbone"].weight]
    assert [g["params"] for g in taken["AdamW"]] == [
        [model["embedding"].weight],
        [model["backbone"].bias],
    ]


def test_muon_refuses_a_pattern_that_fits_no_weight():
    weights = [("body.weight", nn.Parameter(torch.ones(2, 2)))]
    with pytest.raises(ConfigError, match="no weight matches nope") as caught:
        build_muon(MuonConfig(rest=("body.*", "nope")), parameters=weights)
    assert "body.weight" in caught.value.hint


def test_muon_of_vectors_alone_is_adamw():
    together = build_muon(MuonConfig(), parameters=[("norm", nn.Parameter(torch.ones(3)))])
    assert [type(part).__name__ for part in together.parts] == ["AdamW"]


def test_a_package_that_is_missing_is_named_with_what_to_install():
    with pytest.raises(UnavailableError, match="prodigy needs the package absent_package") as it:
        package("absent_package.part", needed_by="prodigy", install="vall-e[optimizers]")
    assert it.value.hint == "pip install 'vall-e[optimizers]'"


def test_state_within_state_is_saved_too():
    optimizer = torch.optim.SGD([weight := nn.Parameter(torch.ones(2))], lr=0.1)
    shared = torch.arange(3.0)
    inner = {"map": shared, "same": shared, "bits": 8}
    optimizer.state[weight] = {"momentum_buffer": torch.zeros(2), "inner": inner}
    tensors, values = pack_optimizer(optimizer)
    assert (
        tensors["optimizer/0/inner/map"].data_ptr() != tensors["optimizer/0/inner/same"].data_ptr()
    )  # safetensors refuses shared memory
    other = torch.optim.SGD([weight], lr=0.1)
    unpack_optimizer(other, tensors, json.loads(json.dumps(values)))
    found = other.state[weight]["inner"]
    assert found["map"].equal(shared)
    assert found["bits"] == 8


def test_a_state_of_other_objects_cannot_be_saved():
    optimizer = torch.optim.SGD([weight := nn.Parameter(torch.ones(2))], lr=0.1)
    optimizer.state[weight] = {"inner": {"what": object()}}
    with pytest.raises(TrainingError, match="state of SGD cannot be saved"):
        pack_optimizer(optimizer)
