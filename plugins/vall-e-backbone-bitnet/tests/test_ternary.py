import pytest
import torch
from torch import nn

from vall_e.plugin import ConfigError, Rounding
from vall_e.testing import WrapperContract
from vall_e_backbone_bitnet.components import build_ternary, vall_e_register_wrappers
from vall_e_backbone_bitnet.options import TernaryConfig
from vall_e_backbone_bitnet.ternary import TernaryLinear

X = torch.linspace(-1, 1, 20).reshape(5, 4)


class TestNotRounded(WrapperContract):
    def make(self):
        return build_ternary(TernaryConfig(strength=0.0))


def _layer(strength=1.0):
    torch.manual_seed(0)
    return TernaryLinear(nn.Linear(4, 3), strength)


def test_a_layer_computes_with_three_weights():
    layer = _layer()
    mean = layer.weight.abs().mean()
    assert set((layer.coarse() / mean).round(decimals=4).flatten().tolist()) <= {-1, 0, 1}
    torch.testing.assert_close(layer(X), X @ layer.coarse().T + layer.bias)


def test_it_learns_the_whole_weights():
    layer = _layer()
    layer(X).sum().backward()
    torch.testing.assert_close(layer.weight.grad, X.sum(0).expand(3, -1))


def test_a_settled_layer_is_a_plain_one_of_the_rounded_weights():
    layer, plain = _layer(), nn.Linear(4, 3)
    expected = layer(X)
    assert isinstance(layer, Rounding)
    layer.settle()
    plain.load_state_dict(layer.state_dict())
    assert plain(X).equal(expected)
    assert layer(X).equal(expected)
    layer.unsettle()
    assert not layer.settled


def test_no_layer_that_fits_is_a_mistake():
    with pytest.raises(ConfigError, match=r"no plain linear layer of the backbone matches nothing"):
        build_ternary(TernaryConfig(include=("nothing",)))(nn.Sequential(nn.Linear(4, 3)))


def test_it_is_offered_under_its_name():
    assert [c.name for c in vall_e_register_wrappers()] == ["bitnet"]
