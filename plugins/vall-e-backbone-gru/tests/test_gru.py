import pytest
import torch

from vall_e.plugin import Component, ConfigError
from vall_e.testing import BackboneContract
from vall_e_backbone_gru.components import vall_e_register_backbones
from vall_e_backbone_gru.gru import Gru
from vall_e_backbone_gru.options import GruConfig


class TestGru(BackboneContract):
    uses_positions = False  # positions are implied by the order

    def make(self):
        torch.manual_seed(0)
        return Gru(GruConfig(d_model=16, layers=2)).eval()


class Unused:
    name = "unused"

    def unsupported(self, case):
        return "a GRU has no attention"

    def __call__(self, q, k, v, **case):
        raise AssertionError


def test_it_is_offered_under_its_name():
    [component] = vall_e_register_backbones()
    assert isinstance(component, Component)
    backbone = component.build(GruConfig(d_model=8, layers=1), attention=Unused())
    assert (component.name, backbone.d_model) == ("gru", 8)


def test_looking_both_ways_is_refused():
    x, positions = torch.zeros(1, 3, 8), torch.arange(3)[None]
    with pytest.raises(ConfigError) as caught:
        Gru(GruConfig(d_model=8))(x, lengths=torch.tensor([3]), positions=positions, causal=False)
    assert caught.value.hint == "set model.nar_attention: causal, or use another backbone"


def test_checkpointing_changes_no_gradient():
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        gru = Gru(GruConfig(d_model=8, layers=2, checkpointing=checkpointing)).train()
        x, positions = torch.randn(2, 5, 8), torch.arange(5).expand(2, -1)
        gru(x, lengths=torch.tensor([5, 3]), positions=positions)[0].square().sum().backward()
        gradients.append([p.grad for p in gru.parameters()])
    torch.testing.assert_close(*gradients)


def test_a_row_that_gets_nothing_stays_as_it_was():
    gru = Gru(GruConfig(d_model=8, layers=2))
    x, positions = torch.randn(2, 1, 8), torch.zeros(2, 1, dtype=torch.long)
    cache = gru.new_cache(2, 4)
    with torch.no_grad():
        gru(x, lengths=torch.tensor([1, 1]), positions=positions, cache=cache)
        before = cache.state.clone()
        gru(x, lengths=torch.tensor([1, 0]), positions=positions, cache=cache)
    assert cache.lengths.tolist() == [2, 1]
    assert cache.state[:, 1].equal(before[:, 1])
    assert not cache.state[:, 0].equal(before[:, 0])


def test_a_cache_of_another_backbone_is_refused():
    gru = Gru(GruConfig(d_model=8))
    x, one = torch.zeros(1, 1, 8), torch.tensor([1])

    class Other:
        lengths = one
        max_length = 3

        def select(self, rows):
            return self

    with pytest.raises(TypeError, match="gru needs a cache from its new_cache, got Other"):
        gru(x, lengths=one, positions=one[:, None], cache=Other())
