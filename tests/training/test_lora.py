"""Training a LoRA: the base stays, the adapter learns, and comes back from its checkpoint."""

import pytest
import torch
from safetensors.torch import load_file

from vall_e.config.load import structure
from vall_e.errors import CheckpointError, ConfigError, TrainingError
from vall_e.model.lora import is_adapter
from vall_e.testing import WrapperContract
from vall_e.training.run import RunCallbacks
from vall_e.training.wrappers.components import build_lora
from vall_e.training.wrappers.options import LoraConfig
from vall_e.weights.file import load
from vall_e.weights.locate import find_weights

LORA = {"name": "lora", "rank": 4, "dropout": 0.1}


class TestReplaced(WrapperContract):
    speaks = False

    def make(self):
        return build_lora(LoraConfig())


class TestParametrized(WrapperContract):
    speaks = False

    def make(self):
        return build_lora(LoraConfig(flavour="parametrized"))


@pytest.fixture
def base(bench):
    bench.train("base", commands="quit@2")
    return str(bench.folder / "base")


def state(run):
    return {name: tensor.clone() for name, tensor in run.bundle.model.state_dict().items()}


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def frozen(tensors):
    return {key: tensor for key, tensor in tensors.items() if not is_adapter(key)}


def with_lora(**options):
    return {"wrappers": [{**LORA, **options}]}


@pytest.mark.parametrize("flavour", ["replaced", "parametrized"])
def test_the_adapter_learns_and_the_base_stays(bench, base, flavour):
    run = bench.train("me", start_from=base, **with_lora(flavour=flavour))
    found = state(run)
    assert same(frozen(found), load_file(find_weights(bench.folder / "base")))
    assert all(tensor.any() for key, tensor in found.items() if key.endswith("lora_b"))
    trained = {name for name, p in run.bundle.model.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in name for name in trained)


@pytest.mark.parametrize("flavour", ["replaced", "parametrized"])
def test_a_run_resumes_bit_for_bit(bench, base, flavour):
    options = {"start_from": base, **with_lora(flavour=flavour)}
    through = bench.train("through", **options)
    bench.train("resumed", **options, commands="quit@3")
    resumed = bench.train("resumed", **options, resume=True)
    assert resumed.progress.step == 6
    assert same(state(through), state(resumed))


@pytest.mark.slow
def test_a_batch_that_the_base_does_not_know_is_learnt(bench, base):
    options = {"start_from": base, "overfit": 2, "max_steps": 80, "levels": [0]}
    fast = {"optimizer": {"name": "adamw", "lr": 0.03}, "schedule": "constant"}
    losses = []

    def watch(metrics):
        losses.append(metrics["nll.ar"])

    wide = with_lora(rank=8, dropout=0.0, embeddings=True)
    run = bench.train(
        "me", **options, **fast, **wide, model={"dropout": 0.0}, watch=RunCallbacks(on_step=watch)
    )
    assert losses[0] > 2
    assert sum(losses[-5:]) / 5 < losses[0] / 4
    assert same(frozen(state(run)), load_file(find_weights(bench.folder / "base")))


def test_its_checkpoint_is_a_model_that_speaks_with_it(bench, base, registry):
    run = bench.train("me", start_from=base, **with_lora(flavour="parametrized"))
    bundle = load(find_weights(bench.folder / "me"), registry)
    assert same(bundle.model.state_dict(), run.bundle.model.state_dict())
    examples = next(iter(run.loader)).examples
    with torch.no_grad():
        ours = run.bundle.model.eval().loss(examples).total
        torch.testing.assert_close(bundle.model.loss(examples).total, ours)


def test_another_lora_is_not_resumed(bench, base):
    bench.train("me", start_from=base, commands="quit@2", **with_lora())
    with pytest.raises(
        CheckpointError, match=r"different options: training\.wrappers\.lora\.rank \(4, not 8"
    ):
        bench.open("me", start_from=base, resume=True, **with_lora(rank=8))
    with pytest.raises(CheckpointError, match=r"different options: training\.wrappers\.lora"):
        bench.open("me", start_from=base, resume=True)


def test_a_new_run_does_not_start_from_a_lora(bench, base):
    bench.train("me", start_from=base, commands="quit@2", **with_lora())
    with pytest.raises(CheckpointError, match="contains a LoRA besides its base") as caught:
        bench.open("next", start_from=str(bench.folder / "me"))
    assert "--merge" in caught.value.hint


def test_two_loras_at_a_time_are_refused(bench):
    with pytest.raises(TrainingError, match="more than one lora"):
        bench.open("me", wrappers=[LORA, LORA])


def test_levels_go_with_the_replaced_flavour_of_the_body(bench):
    for more in ({"embeddings": True}, {"flavour": "parametrized"}):
        raw = bench.raw(wrappers=[{**LORA, "levels": [1], **more}])
        with pytest.raises(ConfigError, match="cannot be combined with"):
            structure(raw, bench.registry)


def test_an_adapter_of_one_level_gets_no_gradient_from_others(bench, base):
    run = bench.train("me", start_from=base, levels=[0, 2], **with_lora(levels=[1]))
    assert not any(t.any() for key, t in state(run).items() if key.endswith("lora_b"))
    run = bench.train("other", start_from=base, levels=[0, 1], **with_lora(levels=[1]))
    assert all(t.any() for key, t in state(run).items() if key.endswith("lora_b"))
