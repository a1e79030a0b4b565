import copy

import pytest
import torch
from torch import nn

from vall_e.errors import CheckpointError
from vall_e.model.lora import Terms, attach, places
from vall_e.model.wrappers.reduced_precision import Int8Linear, reduce
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(48, 32)


def test_an_int8_layer_is_near_the_one_that_it_was(layer):
    x = torch.randn(3, 5, 48)
    with torch.inference_mode():
        exact, found = layer(x), Int8Linear(layer)(x)
    assert found.shape == exact.shape
    assert (found - exact).norm() < 0.02 * exact.norm()


def test_a_row_of_an_int8_layer_is_the_same_in_any_batch(layer):
    """However large its neighbour is."""
    small, x = Int8Linear(layer), torch.randn(2, 48)
    x[1] *= 1000
    with torch.inference_mode():
        assert torch.equal(small(x)[0], small(x[:1])[0])
        assert small(torch.zeros(1, 48))[0].tolist() == pytest.approx(layer.bias.tolist())


def test_layers_that_read_the_same_are_one_product(layer):
    first, second = (Int8Linear(nn.Linear(48, width, bias=False)) for width in (32, 16))
    x = torch.randn(3, 5, 48)
    side_by_side = first.joined([second])
    if side_by_side is None:
        pytest.skip("this processor has no int8 products")
    with torch.inference_mode():
        assert torch.equal(side_by_side(x), torch.cat([first(x), second(x)], dim=-1))
    assert first.joined([Int8Linear(layer)]) is None  # a bias would get lost
    assert first.joined([layer]) is None


def test_an_int8_layer_that_was_used_can_be_copied(layer):
    small, x = Int8Linear(layer), torch.randn(2, 48)
    with torch.inference_mode():
        assert torch.equal(small(x), copy.deepcopy(small)(x))


def test_where_the_processor_cannot_the_weight_is_expanded(layer):
    small, x = Int8Linear(layer), torch.randn(4, 48)
    with torch.inference_mode():
        usual = small(x)
        small.multiplies = False
        assert (small(x) - usual).norm() < 0.02 * usual.norm()


def test_int8_takes_the_matrices_of_the_backbone(registry):
    model = tiny_bundle(registry, StaircaseCodec()).model
    exact = sum(t.nbytes for t in model.backbone.state_dict().values())
    reduce(model, "int8")
    kinds = {type(m) for m in model.backbone.modules()}
    assert Int8Linear in kinds
    assert nn.Linear not in kinds
    assert type(model.heads.layers[0]) is nn.Linear
    assert sum(t.nbytes for t in model.backbone.state_dict().values()) < exact / 3


def test_a_lora_on_int8_weights_is_refused(registry):
    model = tiny_bundle(registry, StaircaseCodec()).model
    reduce(model, "int8")
    [name, *_] = [n for n, m in model.named_modules() if isinstance(m, Int8Linear)]
    with pytest.raises(CheckpointError, match="which does not support LoRA"):
        attach(model, [name], Terms(rank=1, alpha=1.0))


def test_a_layer_with_a_lora_stays_as_it_is(registry):
    model = tiny_bundle(registry, StaircaseCodec()).model
    adapted = places(model, include=["*.q_proj"])
    attach(model, adapted, Terms(rank=1, alpha=1.0))
    reduce(model, "int8")
    assert not any(isinstance(model.get_submodule(name), Int8Linear) for name in adapted)
