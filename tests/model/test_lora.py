import copy

import pytest
import torch
from torch import nn

from vall_e.errors import CheckpointError, ConfigError
from vall_e.interfaces.task import Segment
from vall_e.model.lora import (
    Predicting,
    Terms,
    adapters,
    attach,
    detach,
    is_adapter,
    merge,
    places,
)
from vall_e.model.sequence import Example
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.lora_file import attach_tensors, base_hash, read_lora, save_lora

TERMS = Terms(rank=2, alpha=6.0)


@pytest.fixture
def model(registry):
    return tiny_bundle(registry, StaircaseCodec()).model


def examples(*levels):
    codes = torch.arange(24).reshape(2, 12) % 8
    segments = (Segment("text", torch.tensor([1, 5, 6, 2])), Segment("level", torch.tensor([0])))
    return [Example((*segments, Segment("response", codes)), level) for level in levels]


def states(model, *levels):
    with torch.no_grad():
        return model.hidden(examples(*levels))[0]


def stir(model, key="0"):
    """Give an adapter something to say."""
    for adapter in adapters(model, key).values():
        nn.init.normal_(adapter.lora_b, std=0.3)


def adapted(model, terms=TERMS, flavour="replaced", **choice):
    attach(model, places(model, **choice), terms, flavour=flavour)
    stir(model)
    return model


@pytest.mark.parametrize("flavour", ["replaced", "parametrized"])
def test_an_adapter_adds_alpha_over_rank_times_its_product(flavour):
    model = nn.Sequential(nn.Linear(5, 3))
    plain = copy.deepcopy(model[0])
    adapted(model, flavour=flavour)
    [adapter] = adapters(model).values()
    x = torch.randn(4, 5)
    expected = plain(x) + 6.0 / 2 * x @ adapter.lora_a.T @ adapter.lora_b.T
    torch.testing.assert_close(model(x), expected)


def test_both_flavours_say_the_same_and_have_the_same_state(model):
    replaced = adapted(copy.deepcopy(model))
    parametrized = copy.deepcopy(model)
    attach(parametrized, places(model), TERMS, flavour="parametrized")
    assert list(parametrized.state_dict()) == list(replaced.state_dict())
    parametrized.load_state_dict(replaced.state_dict())
    torch.testing.assert_close(states(parametrized, 0), states(replaced, 0))
    assert not torch.allclose(states(model, 0), states(replaced, 0), atol=1e-3)


def test_the_keys_of_the_base_stay(model):
    keys = list(model.state_dict())
    for flavour in ("replaced", "parametrized"):
        state = adapted(copy.deepcopy(model), flavour=flavour).state_dict()
        assert [key for key in state if not is_adapter(key)] == keys


def test_merged_weights_say_the_same(model):
    adapted(model, embeddings=True)
    before = states(model, 0), states(model, 1)
    merge(model, levels=model.sizes.levels)
    assert not any(is_adapter(key) for key in model.state_dict())
    for level, expected in enumerate(before):
        torch.testing.assert_close(states(model, level), expected, rtol=1e-5, atol=1e-5)


def test_what_was_attached_can_be_taken_away(model):
    before = states(model, 0)
    kinds = [type(module) for module in model.modules()]
    adapted(model)
    detach(model, "0")
    assert torch.equal(states(model, 0), before)
    assert [type(module) for module in model.modules()] == kinds


def test_adapters_add_up_and_are_switched_one_by_one(model):
    plain = copy.deepcopy(model)
    for key in ("0", "1"):
        attach(model, places(model), TERMS, key=key)
        stir(model, key)
    both = states(model, 0)
    alone = {}
    for key in ("0", "1"):
        for adapter in adapters(model, key).values():
            adapter.strength = 0.0
        alone[key] = states(model, 0)
        for adapter in adapters(model, key).values():
            adapter.strength = 1.0
    assert not torch.allclose(alone["0"], alone["1"])
    detach(model, "0")
    assert torch.equal(states(model, 0), alone["0"])
    detach(model, "1")
    assert torch.equal(states(model, 0), states(plain, 0))
    assert not torch.allclose(both, states(plain, 0))


def test_an_adapter_of_some_levels_leaves_the_others_alone(model):
    plain = copy.deepcopy(model)
    everywhere = adapted(copy.deepcopy(model))
    adapted(model, Terms(2, 6.0, levels=(1,)))
    model.load_state_dict(everywhere.state_dict())
    assert torch.equal(states(model, 0), states(plain, 0))
    assert torch.equal(states(model, 1), states(everywhere, 1))


def test_levels_are_distinguished_within_a_batch(model):
    plain = copy.deepcopy(model)
    everywhere = adapted(copy.deepcopy(model))
    adapted(model, Terms(2, 6.0, levels=(2,)))
    model.load_state_dict(everywhere.state_dict())
    found = states(model, 1, 2)
    torch.testing.assert_close(found[0], states(plain, 1, 2)[0])
    torch.testing.assert_close(found[1], states(everywhere, 1, 2)[1])


def test_a_pass_whose_level_is_not_given_is_refused_where_it_matters():
    model = adapted(nn.Sequential(nn.Linear(3, 3)), Terms(2, 6.0, levels=(1,)))
    with pytest.raises(RuntimeError, match="must know what a pass predicts"):
        model(torch.ones(1, 3))


def test_passes_within_each_other_each_have_their_own_level():
    predicting = Predicting()
    with predicting([0]):
        with predicting([1, 2]):
            assert predicting.levels == (1, 2)
        assert predicting.levels == (0,)
    assert predicting.levels is None


def test_an_adapter_of_some_levels_cannot_be_merged(model):
    adapted(model, Terms(2, 6.0, levels=(1,)))
    with pytest.raises(CheckpointError, match=r"levels \[1\] cannot be merged"):
        merge(model, levels=2)


def test_by_default_attention_and_feed_forward_are_adapted(model):
    ends = {name.split(".", 3)[3] for name in places(model)}
    attention = {f"self_attn.{x}_proj" for x in "qkvo"}
    assert ends == {*attention, "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}
    assert len(places(model)) == 7 * 2


def test_patterns_choose_layers(model):
    queries = places(model, include=["backbone.*.q_proj"])
    assert queries == [f"backbone.layers.{i}.self_attn.q_proj" for i in range(2)]
    rest = places(model, exclude=["*.mlp.*", "*.1.*"])
    assert rest == [f"backbone.layers.0.self_attn.{x}_proj" for x in "qkvo"]
    assert "embedding.text" in places(model, embeddings=True)
    assert "heads.layers.0" in places(model, embeddings=True)


def test_a_pattern_that_fits_nothing_is_reported(model):
    with pytest.raises(ConfigError, match=r"lora\.include: 'heads\.\*' matches no layer"):
        places(model, include=["heads.*"])
    with pytest.raises(ConfigError, match=r"lora\.exclude: 'mpl' matches no layer"):
        places(model, exclude=["mpl"])
    with pytest.raises(ConfigError, match="no linear layer"):
        places(model, exclude=["*"])


def test_dropout_is_for_training_only(model):
    adapted(model, Terms(2, 6.0, dropout=0.5), flavour="parametrized")
    assert torch.equal(states(model.eval(), 0), states(model.eval(), 0))
    assert not torch.equal(states(model.train(), 0), states(model.train(), 0))


def test_a_file_is_the_adapter_again(model, tmp_path):
    plain = copy.deepcopy(model)
    adapted(model)
    save_lora(model, tmp_path / "me.lora.safetensors", {"steps": 3})
    file = read_lora(tmp_path / "me.lora.safetensors")
    assert (file.terms, file.base, file.statistics) == (TERMS, base_hash(plain), {"steps": 3})
    attach_tensors(plain, file.terms, file.tensors)
    assert torch.equal(states(plain, 0), states(model, 0))


def test_the_hash_is_of_the_base_alone(model):
    plain = base_hash(model)
    assert base_hash(adapted(copy.deepcopy(model))) == plain
    assert base_hash(adapted(copy.deepcopy(model), flavour="parametrized")) == plain
    model.heads.layers[0].bias.data[0] += 1
    assert base_hash(model) != plain


def test_a_model_without_adapter_has_no_file(model, tmp_path):
    with pytest.raises(CheckpointError, match="this model has no LoRA"):
        save_lora(model, tmp_path / "x.lora.safetensors", {})


def test_what_is_not_an_adapter_is_an_instruction(tmp_path):
    path = tmp_path / "x.lora.safetensors"
    with pytest.raises(CheckpointError, match="there is no LoRA"):
        read_lora(path)
    path.write_bytes(b"no")
    with pytest.raises(CheckpointError, match="damaged, or not a LoRA"):
        read_lora(path)
