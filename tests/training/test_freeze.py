import pytest
import torch

from vall_e.errors import CheckpointError, ConfigError


def _weights(run):
    return {name: p.detach().clone() for name, p in run.bundle.model.named_parameters()}


def test_frozen_weights_stay_and_the_others_learn(bench):
    patterns = ["embedding.*", "backbone.layers.0.mlp.up_proj.weight"]
    before = _weights(bench.open("untouched"))
    run = bench.train(max_steps=2, frozen=patterns)
    changed = {name for name, p in _weights(run).items() if not torch.equal(p, before[name])}
    assert not any(name.startswith("embedding.") for name in changed)
    assert "backbone.layers.0.mlp.up_proj.weight" not in changed
    assert "backbone.layers.0.mlp.gate_proj.weight" in changed
    with pytest.raises(CheckpointError, match="different options: training\\.frozen"):
        bench.open(resume=True)


@pytest.mark.parametrize(
    ("frozen", "says"),
    [
        (["embeding.*"], "no weight matches 'embeding.\\*'"),
        (["*"], "nothing is left to train"),
    ],
)
def test_what_cannot_be_frozen_is_refused(bench, frozen, says):
    with pytest.raises(ConfigError, match=says):
        bench.open(frozen=frozen)


def test_a_run_takes_all_options_of_training_together(bench):
    """Token dropout, errors, factors, a range of levels, skipped layers: it trains and resumes."""
    options = {
        "code_errors": 0.1,
        "loss_factors": {"text": 0.1, "response": 1.0},
        "level_range": [0, 1],
        "layer_skip": {"dropout": 0.2, "exit_scale": 0.5, "exits": "all"},
    }
    backbone = {"name": "llama", "d_model": 16, "layers": 3, "heads": 2}
    model = {"backbone": backbone, "token_dropout": 0.1}
    whole = bench.train("whole", model=model, max_steps=4, **options)
    bench.train("cut", model=model, max_steps=4, commands="quit@2", **options)
    cut = bench.train("cut", model=model, max_steps=4, resume=True, **options)
    for name, weight in _weights(whole).items():
        assert torch.equal(weight, _weights(cut)[name]), name
    lines = (whole.folder / "metrics.jsonl").read_text()
    assert "exit-2" in lines


def test_a_backbone_without_layers_cannot_skip_them(bench):
    with pytest.raises(ConfigError, match="the backbone gru cannot run its layers"):
        bench.open(model={"backbone": {"name": "gru", "d_model": 16}}, layer_skip={"dropout": 0.1})
